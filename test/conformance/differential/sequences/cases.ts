/* Cases that many resources share: what lists are asked with, and what the operators of each kind of filter take. */

/** Bodies that are no JSON object at all. */
export const MALFORMED = ['', '{', '{"a":1,}', '{"a":1} x', "{'a':1}", '[]', '"text"', '7', 'true'];

/** `limit` and `offset` of `…/filter`. */
export const PAGES = [
  ...[0, 1, 2, 200, 201, -1, '2', '2.0', 2.5, null, 'x', true, [], {}].map((limit) => ({ limit })),
  ...[0, 1, 100, -1, '1', null, 'x', 1.5].map((offset) => ({ offset })),
  { limit: 1, offset: 1 },
];

/** `limit` and `page` of `…/paginate`. */
export const NUMBERED_PAGES = [
  ...[1, 2, 200, 201, -1, '2', null, 'x'].map((limit) => ({ limit })),
  ...[1, 2, 100, 0, -1, '2', null, 'x', 1.5].map((page) => ({ page })),
  { limit: 1, page: 2 },
  { limit: 2, page: 2 },
];

/** What every leaf of a filter may get instead of its operators. */
const ODD = [{}, null, { unknown: 1 }, [], 'x', 1];

export const idFilters = (ids: string[]) => [
  ...[ids, ids.slice(0, 1), [], null, [ids[0]?.replaceAll('-', '').toUpperCase()], ['x'], [1], 'x', [null]].map((any_) => ({ any_ })),
  ...ODD,
];

export const notIdFilters = (ids: string[]) => [...[ids, [], null].map((not_any_) => ({ not_any_ })), { any_: ids, not_any_: ids.slice(0, 1) }];

export const nullFilters = (ids: string[]) => [
  ...[true, false, null, 'true', 0, 'x', []].map((is_null_) => ({ is_null_ })),
  { any_: ids, is_null_: true },
  { any_: ids, is_null_: false },
];

export const textFilters = (texts: string[]) => [...[texts, [...texts.slice(0, 1), 'ünknown ☃'], [], null, 'x', [1], [null]].map((any_) => ({ any_ })), ...ODD];

export const notTextFilters = (texts: string[]) => [...[texts, texts.slice(0, 1), [], null].map((not_any_) => ({ not_any_ })), { any_: texts, not_any_: texts.slice(0, 1) }];

/** `part` is found in some of the names. */
export const likeFilters = (part: string) => [part, part.toUpperCase(), '', '%', '_', `%${part}_`, "'\\", null, 1, []].map((like_) => ({ like_ }));

export const tagsFilters = (tags: string[]) => [
  ...[tags, tags.slice(0, 1), [], null, 'x', [1]].map((all_) => ({ all_ })),
  ...[true, false, null, 'x'].map((is_null_) => ({ is_null_ })),
  { operator: 'or_', all_: tags, is_null_: true },
  { all_: tags, is_null_: true },
  { operator: 'xor_' },
  ...ODD,
];

export const anyTagsFilters = (tags: string[]) => [...[tags, tags.slice(0, 1), [], null].map((any_) => ({ any_ })), { all_: tags, any_: tags, operator: 'or_' }, { all_: tags.slice(0, 1), any_: ['x'] }];

/** `time` lies among the times that are asked for. */
export const timeFilters = (time: string) => [
  ...[time, time.replace('Z', '+00:00'), '2001-01-01T00:00:00', '2001-01-01', 4e9, 4e12, null, 'x', '2001-13-01T00:00:00Z', true, []].map((before_) => ({ before_ })),
  ...[time, '2999-01-01T00:00:00Z', 0, null].map((after_) => ({ after_ })),
  { after_: '2001-01-01T00:00:00Z', before_: time },
  ...ODD,
];
