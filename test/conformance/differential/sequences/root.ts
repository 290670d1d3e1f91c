import type { Sequences } from '../twin-client.ts';

export const root: Sequences = {
  'probes and versions': async (api) => {
    await api.eachPath('GET', ['/health', '/ready', '/version', '/admin/version', '/csrf-token', '/csrf-token?client=x', '/csrf-token?client=']);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']) await api.eachPath(method, ['/health', '/version', '/admin/version', '/flows/', `/variables/name/${api.id()}`, `/flow_runs/${api.id()}`]);
  },

  'paths that do not exist': async (api) => {
    await api.eachPath('GET', ['', '/', '/unknown', '/flows', '/flows/filter', '/flow_runs/', '/flow_runs/count', '//', '/flows//', '/health/', '/variables/a/b', '/logs/']);
    await api.eachPath('POST', ['/unknown', '/unknown/', '/flows', '/flows/filter/', '/variables/count/', '/variables/name/x', `/flow_runs/${api.id()}`], {});
  },

  'versions of the API in the header': async (api) => {
    for (const version of ['0.8.4', '0.8.0', '0.7.9', '0.9.0', '1.0.0', '99.0.0', '0.8', 'x', '', '0.8.4.1', ' 0.8.4 ', '0.8.x']) await api.eachPath('GET', ['/health', '/admin/version', '/version', '/unknown', '/ready'], undefined, { headers: { 'x-prefect-api-version': version } });
  },

  'types of content': async (api) => {
    for (const type of ['application/json', 'application/json; charset=utf-8', 'APPLICATION/JSON', 'application/problem+json', 'application/vnd.api+json', 'text/plain', 'text/html', 'application/x-www-form-urlencoded', 'application/octet-stream', '', 'nonsense']) await api.post('/flows/', '{"name":1}', { headers: { 'content-type': type } });
    await api.each('POST', '/variables/filter', [Buffer.from([0x7b, 0xff, 0x7d]), Buffer.from('\uFEFF{"limit":0}')]);
    await api.get('/admin/version', { headers: { accept: 'text/html' } });
  },
};
