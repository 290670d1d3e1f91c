import { z } from 'zod';
import { filterObject, idFilter, keyFilter, operator, textFilterWithNot } from '../filters.ts';

export const artifactFilter = filterObject('ArtifactFilter', {
  operator: operator(),
  id: idFilter(),
  key: keyFilter(),
  flow_run_id: idFilter(),
  task_run_id: idFilter(),
  type: textFilterWithNot(),
});
export type ArtifactFilter = z.output<typeof artifactFilter>;

export const artifactCollectionFilter = filterObject('ArtifactCollectionFilter', {
  operator: operator(),
  latest_id: idFilter(),
  key: keyFilter(),
  flow_run_id: idFilter(),
  task_run_id: idFilter(),
  type: textFilterWithNot(),
});
export type ArtifactCollectionFilter = z.output<typeof artifactCollectionFilter>;

const sort = z.enum(['CREATED_DESC', 'UPDATED_DESC', 'ID_DESC', 'KEY_DESC', 'KEY_ASC']);
export const artifactSort = sort.meta({ id: 'ArtifactSort' });
export const artifactCollectionSort = sort.meta({ id: 'ArtifactCollectionSort' });
export type ArtifactSort = z.output<typeof sort>;
