import { z } from 'zod';
import { boolean } from '../primitives.ts';
import { booleanFilter, filterObject, idFilterWithNot, integerRangeFilter, likeFilter, nameFilter, operator, tagsFilterWithAny, textFilter } from '../filters.ts';

export const deploymentFilter = filterObject('DeploymentFilter', {
  operator: operator(),
  id: idFilterWithNot(),
  name: nameFilter(),
  flow_or_deployment_name: likeFilter().meta({ id: 'DeploymentOrFlowNameFilter' }),
  paused: booleanFilter(),
  tags: tagsFilterWithAny(),
  work_queue_name: textFilter(),
  // Accepted and ignored, as by Prefect: limits moved to a table of their own.
  concurrency_limit: integerRangeFilter().extend({ is_null_: boolean().nullish() }).meta({ deprecated: true }),
});
export type DeploymentFilter = z.output<typeof deploymentFilter>;

export const deploymentSort = z.enum(['CREATED_DESC', 'UPDATED_DESC', 'NAME_ASC', 'NAME_DESC']).meta({ id: 'DeploymentSort' });
export type DeploymentSort = z.output<typeof deploymentSort>;
