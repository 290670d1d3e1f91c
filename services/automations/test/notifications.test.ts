import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type IncomingMessage, createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { test } from 'node:test';
import { ActionFailedError, ActionInterruptedError } from '@praetor/automations/actions/outcome';
import { composeCustomWebhook, composeWebhook } from '@praetor/automations/notifications/custom-webhook';
import { sendEmail } from '@praetor/automations/notifications/email';
import { deliverAll } from '@praetor/automations/notifications/delivery';
import { InvalidRequestError, UnansweredError, sendRequest } from '@praetor/automations/notifications/http-request';
import { PrivateAddressError, isPrivateAddress } from '@praetor/automations/notifications/private-addresses';
import { SERVICES } from '@praetor/automations/notifications/services';
import { type JsonObject, parseJson } from '@praetor/schema/json';

const NOTIFICATION = { subject: 'Late', body: 'the run is late' };
const never = new AbortController().signal;

for (const [address, isPrivate] of [
  ['127.0.0.1', true],
  ['10.1.2.3', true],
  ['172.31.255.255', true],
  ['172.32.0.1', false],
  ['169.254.169.254', true],
  ['100.64.0.1', true],
  ['0.0.0.0', true],
  ['224.0.0.1', true],
  ['255.255.255.255', true],
  ['8.8.8.8', false],
  ['::1', true],
  ['::', true],
  ['::ffff:127.0.0.1', true],
  ['::ffff:8.8.8.8', false],
  ['64:ff9b::7f00:1', true],
  ['fd00::1', true],
  ['fe80::1', true],
  ['2606:4700::1111', false],
  ['localhost', true],
] as const)
  test(`${address} is ${isPrivate ? 'private' : 'public'}`, () => assert.equal(isPrivateAddress(address), isPrivate));

for (const url of ['http://127.0.0.1:1/', 'http://[::1]:1/', 'http://localhost:1/', 'http://2130706433:1/', 'http://0x7f.1:1/', 'http://[::ffff:7f00:1]:1/'])
  test(`${url} is not reached unless it is allowed`, async () => {
    await assert.rejects(sendRequest({ method: 'GET', url }, never), PrivateAddressError);
    await assert.rejects(sendRequest({ method: 'GET', url, allowsPrivate: true }, never), /ECONNREFUSED/);
  });

test('what is no web address is refused', async () => {
  await assert.rejects(sendRequest({ method: 'GET', url: 'file:///etc/passwd' }, never), InvalidRequestError);
  await assert.rejects(sendRequest({ method: 'GET', url: 'nonsense' }, never), InvalidRequestError);
});

test('a request arrives as it was composed, and a redirection is not followed', async () => {
  const received: { request: IncomingMessage; body: string }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    received.push({ request, body });
    response.writeHead(302, { location: 'http://127.0.0.1:1/', 'x-answer': 'yes' }).end('x'.repeat(200_000));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook/{{name}}`;
  const data: JsonObject = {
    name: 'n',
    url,
    params: { q: '{{subject}}' },
    json_data: { text: '{{body}} {{ token }}', list: ['{{subject}}'], n: 1 },
    headers: { authorization: 'Bearer {{token}}' },
    cookies: { c: '{{name}}' },
    secrets: { token: 's3cret' },
    allow_private_urls: true,
  };
  const answer = await sendRequest(composeCustomWebhook(data, NOTIFICATION), never);
  assert.deepEqual([answer.status, answer.headers['x-answer'], answer.text.length], [302, 'yes', 65_536]);
  assert.equal(received.length, 1);
  const [{ request, body } = { request: undefined, body: '' }] = received;
  assert.equal(`${request?.method} ${request?.url}`, 'POST /hook/n?q=Late');
  assert.deepEqual([request?.headers.authorization, request?.headers.cookie, request?.headers['content-type']], ['Bearer s3cret', 'c=n', 'application/json']);
  assert.deepEqual(JSON.parse(body), { text: 'the run is late s3cret', list: ['Late'], n: 1 });
  server.closeAllConnections();
  server.close();
});

test('a request that was sent and not answered may have been carried out', async () => {
  const received: string[] = [];
  const server = createServer((request, response) => {
    received.push(String(request.url));
    if (request.url === '/cut') response.writeHead(201, { 'content-length': '10' }).write('half', () => response.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const send = (path: string, timeoutSeconds?: number) =>
    sendRequest({ method: 'POST', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, body: 'x', allowsPrivate: true, ...(timeoutSeconds && { timeoutSeconds }) }, never);
  await assert.rejects(send('/slow', 0.2), UnansweredError);
  const { status, text } = await send('/cut');
  assert.deepEqual([status, text, received], [201, 'half', ['/slow', '/cut']]);
  server.closeAllConnections();
  server.close();
});

test('a webhook waits as long as its block says, however Python writes it', () => {
  const timeout = (given: unknown) => composeCustomWebhook({ name: 'n', url: 'http://x', timeout: parseJson(String(given)) } as JsonObject, NOTIFICATION).timeoutSeconds;
  assert.deepEqual([timeout('60.0'), timeout('5'), timeout('-1'), timeout('null')], [60, 5, undefined, undefined]);
});

test('those who are told by SendGrid do not see each other', () => {
  const requests = SERVICES['sendgrid-email']?.({ api_key: 'k', sender_email: 'a@b.c', to_emails: ['d@e.f', 'g@h.i'] }, NOTIFICATION) ?? [];
  assert.deepEqual(requests.map(({ body }) => JSON.parse(body ?? '').personalizations), [[{ to: [{ email: 'd@e.f' }] }], [{ to: [{ email: 'g@h.i' }] }]]);
});

test('who was told is not told again because another could not be', async () => {
  const server = createServer((request, response) => response.writeHead(request.url === '/well' ? 204 : 503).end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const to = (path: string) => ({ method: 'POST', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, allowsPrivate: true });
  await deliverAll([to('/well'), to('/well')], never);
  await assert.rejects(deliverAll([to('/badly'), to('/badly')], never), ActionInterruptedError);
  await assert.rejects(deliverAll([to('/well'), to('/badly'), to('/badly')], never), (error) => error instanceof ActionFailedError && !(error instanceof ActionInterruptedError) && error.message.startsWith('2 of 3'));
  server.closeAllConnections();
  server.close();
});

test('a custom webhook that names what is not there is refused', () => {
  assert.throws(() => composeCustomWebhook({ name: 'n', url: 'http://x/{{missing}}' }, NOTIFICATION), InvalidRequestError);
  assert.throws(() => composeCustomWebhook({ name: 'n' }, NOTIFICATION), InvalidRequestError);
  assert.throws(() => composeCustomWebhook({ url: 'http://x', json_data: {}, form_data: {} }, NOTIFICATION), InvalidRequestError);
});

test('a webhook carries the payload', () => {
  const request = composeWebhook({ url: 'https://example.com/', method: 'PUT', headers: { a: 'b' }, verify: false }, '{"x":1}');
  assert.deepEqual(request, { method: 'PUT', url: 'https://example.com/', headers: { a: 'b' }, body: '{"x":1}', allowsPrivate: false, verifiesCertificate: false });
});

const COMPOSED: [type: string, data: JsonObject, url: string, headers: Record<string, string>, content: RegExp][] = [
  ['slack-webhook', { url: 'https://hooks.slack.com/services/A/B/C' }, 'https://hooks.slack.com/services/A/B/C', {}, /"mrkdwn":true,"attachments":\[\{"title":"Late","text":"the run is late","color":"#3AA3E3","footer":"Prefect Notifications"/],
  ['ms-teams-webhook', { url: 'https://x.logic.azure.com/workflows/1' }, 'https://x.logic.azure.com/workflows/1', {}, /AdaptiveCard.*"text":"Late","style":"heading",.*"id":"title"\},\{"type":"TextBlock","text":"the run is late","style":"default","wrap":true,"id":"body"\}/],
  ['discord-webhook', { webhook_id: '1', webhook_token: 't' }, 'https://discord.com/api/webhooks/1/t', {}, /"wait":true,"content":"Late\\r\\nthe run is late"/],
  ['mattermost-webhook', { hostname: 'chat.example.com', token: 't', channels: ['#ops'] }, 'http://chat.example.com:8065/hooks/t', {}, /"text":"Late\\r\\nthe run is late".*"channel":"ops"/],
  ['pager-duty-webhook', { integration_key: 'i', api_key: 'a', notify_type: 'failure', region_name: 'eu' }, 'https://events.eu.pagerduty.com/v2/enqueue', { authorization: 'Token token=a' }, /"routing_key":"i".*"summary":"Late","severity":"critical".*"Prefect Notification Body":"the run is late"/],
  ['opsgenie-webhook', { apikey: 'k', target_team: ['t'] }, 'https://api.opsgenie.com/v2/alerts', { authorization: 'GenieKey k' }, /"message":"Late".*"responders":\[\{"type":"team","name":"t"\}\].*"details":\{"type":"info"\}/],
  ['sendgrid-email', { api_key: 'k', sender_email: 'a@b.c', to_emails: ['d@e.f'] }, 'https://api.sendgrid.com/v3/mail/send', { authorization: 'Bearer k' }, /"to":\[\{"email":"d@e.f"\}\].*"subject":"Late".*"type":"text\/html","value":"the run is late"/],
  ['twilio-sms', { account_sid: 's', auth_token: 't', from_phone_number: '1', to_phone_numbers: ['2'] }, 'https://api.twilio.com/2010-04-01/Accounts/s/Messages.json', { authorization: 'Basic czp0' }, /From=1&To=2&Body=Late%0D%0Athe\+run/],
];

for (const [type, data, url, headers, content] of COMPOSED)
  test(`a notification through ${type}`, () => {
    const requests = SERVICES[type]?.(data, NOTIFICATION);
    assert.equal(requests?.length, 1);
    const [request] = requests ?? [];
    assert.equal(request?.url, url);
    for (const [name, value] of Object.entries(headers)) assert.equal(request?.headers?.[name], value);
    assert.match(request?.body ?? '', content);
    assert.notEqual(request?.allowsPrivate, true);
  });

test('an e-mail goes out by SMTP', async () => {
  const lines: string[] = [];
  const server = createTcpServer((socket) => {
    socket.setEncoding('utf8');
    socket.write('220 test\r\n');
    let isData = false;
    let rest = '';
    socket.on('data', (chunk: string) => {
      rest += chunk;
      for (let end = rest.indexOf('\r\n'); end !== -1; end = rest.indexOf('\r\n')) {
        const line = rest.slice(0, end);
        rest = rest.slice(end + 2);
        lines.push(line);
        if (isData && line !== '.') continue;
        isData = line === 'DATA';
        socket.write(isData ? '354 go on\r\n' : line === 'QUIT' ? '221 bye\r\n' : line.includes('nobody@') ? '550 unknown\r\n' : '250 fine\r\n');
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const block = { username: 'praetor@example.com', smtp_server: '127.0.0.1', smtp_type: 'INSECURE', smtp_port: (server.address() as AddressInfo).port, email_to: ['a@example.com', 'b@example.com'] };
  await assert.rejects(sendEmail(block, NOTIFICATION, never), PrivateAddressError);
  await sendEmail({ ...block, allow_private_urls: true }, NOTIFICATION, never);
  // What the server refuses for good is not worth another attempt.
  await assert.rejects(sendEmail({ ...block, allow_private_urls: true, email_to: ['nobody@example.com'] }, NOTIFICATION, never), InvalidRequestError);
  await assert.rejects(sendEmail({ ...block, allow_private_urls: true }, NOTIFICATION, AbortSignal.abort()));
  assert.ok(lines.includes('RCPT TO:<a@example.com>') && lines.includes('RCPT TO:<b@example.com>'));
  assert.ok(lines.includes('Subject: Late') && lines.includes('the run is late'));
  server.close();
});
