import { ANY, type Rule, reject, types } from '../engine.ts';
import { type TaskTransition, copyState } from '../transition.ts';

/** A task whose result is known need not run. */
export const cacheRetrieval: Rule<TaskTransition> = {
  name: 'CacheRetrieval',
  from: ANY,
  to: types('RUNNING'),
  before({ proposed, facts }) {
    if (!proposed?.state_details.cache_key || proposed.state_details.refresh_cache || !facts.cachedState) return undefined;
    return reject({ ...facts.cachedState, name: 'Cached' }, 'The result was found in the cache.');
  },
};

/** A completed state with a cache key serves later runs with the same key. */
export const cacheInsertion: Rule<TaskTransition> = {
  name: 'CacheInsertion',
  from: ANY,
  to: types('COMPLETED'),
  before({ proposed, settings }) {
    if (!proposed || (proposed.state_details.cache_key?.length ?? 0) <= settings.maximumCacheKeyLength) return undefined;
    return reject(copyState(proposed), `The cache key is longer than ${settings.maximumCacheKeyLength} characters.`);
  },
  after({ proposed, effects }) {
    const { cache_key, cache_expiration } = proposed?.state_details ?? {};
    if (cache_key) effects.push({ type: 'cache_state', key: cache_key, expiration: cache_expiration ?? null });
  },
};
