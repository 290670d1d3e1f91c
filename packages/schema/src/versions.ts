/** The Prefect release whose wire this server speaks (facts/prefect-3.9.1.md). */
export const PREFECT_VERSION = '3.9.1';

/** The version of Prefect's REST API that goes with it. */
export const API_VERSION = '0.8.4';
