import type { Sequences } from '../twin-client.ts';

/* The content of aggregate-worker-metadata is compared in collections.test.ts, prose aside. */
export const collections: Sequences = {
  views: async (api) => {
    await api.eachPath('GET', ['/collections/views/aggregate-block-metadata', '/collections/views/aggregate-flow-metadata', '/collections/views/demo-flows', '/collections/views/unknown', '/collections/views/', '/collections/']);
    await api.eachPath('POST', ['/collections/views/aggregate-worker-metadata', '/collections/views/unknown'], {});
  },
};
