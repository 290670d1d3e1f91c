import { PREFECT_VERSION } from '@praetor/schema/versions';
import bundled from '../block-types/prefect.json' with { type: 'json' };

/** The block types that every server has, as a registry of packages describes them. */
export const blockMetadata = {
  prefect: {
    block_types: Object.fromEntries(
      bundled.map(({ checksum, capabilities, fields, ...type }) => [type.slug, { ...type, block_schema: { checksum, capabilities, fields, version: PREFECT_VERSION } }]),
    ),
  },
};
