import type { JsonObject } from '@praetor/schema/json';
import { recordField, requiredField, textField, textsField } from './block-fields.ts';
import type { HttpRequest } from './http-request.ts';

/* How the services that Prefect's notification blocks name are told something: the public interfaces of each. */

export interface Notification {
  subject: string;
  body: string;
}

/** Makes the requests that deliver a notification. Throws InvalidRequestError where the block lacks something. */
type Compose = (data: JsonObject, notification: Notification) => HttpRequest[];

const post = (url: string, content: JsonObject, headers: Record<string, string> = {}): HttpRequest => ({
  method: 'POST',
  url,
  headers: { 'content-type': 'application/json', ...headers },
  body: JSON.stringify(content),
});

/** A URL that the user has chosen as a whole. */
const toGiven = (data: JsonObject, request: HttpRequest): HttpRequest => ({ ...request, allowsPrivate: data['allow_private_urls'] === true });

const shorten = (text: string, length: number): string => (text.length <= length ? text : `${text.slice(0, length - 1)}…`);

/** Subject and body where a service has one text for both, apart as in Prefect. */
const joined = ({ subject, body }: Notification): string => [subject, body].filter(Boolean).join('\r\n');

const slack: Compose = (data, { subject, body }) => {
  const attachment = { title: subject, text: body, color: '#3AA3E3', footer: 'Prefect Notifications', ts: Date.now() / 1000 };
  return [toGiven(data, post(requiredField(data, 'url'), { mrkdwn: true, attachments: [attachment] }))];
};

const slackIncoming: Compose = (data, { subject, body }) => [toGiven(data, post(requiredField(data, 'url'), { text: [subject && `*${subject}*`, body].filter(Boolean).join('\n') }))];

const teams: Compose = (data, { subject, body }) => {
  const title = { type: 'TextBlock', text: subject, style: 'heading', weight: 'Bolder', size: 'Large', id: 'title' };
  const text = { type: 'TextBlock', text: body, style: 'default', wrap: data['wrap'] !== false, id: 'body' };
  const card = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.4',
    body: subject ? [title, text] : [text],
    msteams: { width: 'full' },
  };
  const content = { type: 'message', attachments: [{ contentType: 'application/vnd.microsoft.card.adaptive', contentUrl: null, content: card }] };
  return [toGiven(data, post(requiredField(data, 'url'), content))];
};

const discord: Compose = (data, notification) => {
  const url = `https://discord.com/api/webhooks/${encodeURIComponent(requiredField(data, 'webhook_id'))}/${encodeURIComponent(requiredField(data, 'webhook_token'))}`;
  const [name, avatar] = [textField(data, 'botname'), textField(data, 'avatar_url')];
  const content = shorten(joined(notification), 2000);
  return [post(url, { tts: data['tts'] === true, wait: true, content, ...(name && { username: name }), ...(avatar && { avatar_url: avatar }) })];
};

const mattermost: Compose = (data, notification) => {
  const scheme = data['secure'] === true ? 'https' : 'http';
  const path = (textField(data, 'path') ?? '').replace(/^\/?/, '/').replace(/\/$/, '');
  const port = typeof data['port'] === 'number' ? data['port'] : 8065;
  const url = `${scheme}://${requiredField(data, 'hostname')}:${port}${path}/hooks/${encodeURIComponent(requiredField(data, 'token'))}`;
  const name = textField(data, 'botname');
  const content = { text: joined(notification), ...(name && { username: name }) };
  const channels = textsField(data, 'channels');
  const request = (more: JsonObject): HttpRequest => toGiven(data, post(url, { ...content, ...more }));
  return channels.length === 0 ? [request({})] : channels.map((channel) => request({ channel: channel.replace(/^#/, '') }));
};

const SEVERITIES: Readonly<Record<string, string>> = { info: 'info', success: 'info', warning: 'warning', failure: 'critical' };

const pagerDuty: Compose = (data, { subject, body }) => {
  const region = data['region_name'] === 'eu' ? 'events.eu' : 'events';
  const [group, kind, link] = [textField(data, 'group'), textField(data, 'class_id'), textField(data, 'clickable_url')];
  const payload = {
    summary: shorten(subject || body, 1024),
    severity: SEVERITIES[textField(data, 'notify_type') ?? 'info'] ?? 'info',
    source: textField(data, 'source') ?? 'Prefect',
    component: textField(data, 'component') ?? 'Notification',
    ...(group && { group }),
    ...(kind && { class: kind }),
    custom_details: { ...recordField(data, 'custom_details'), 'Prefect Notification Body': body },
  };
  const content = { routing_key: requiredField(data, 'integration_key'), event_action: 'trigger', payload, client: 'Prefect Notifications', ...(link && { client_url: link }) };
  return [post(`https://${region}.pagerduty.com/v2/enqueue`, content, { authorization: `Token token=${requiredField(data, 'api_key')}` })];
};

const opsgenie: Compose = (data, { subject, body }) => {
  const host = data['region_name'] === 'eu' ? 'api.eu.opsgenie.com' : 'api.opsgenie.com';
  const responders = (['user', 'team', 'schedule', 'escalation'] as const).flatMap((type) =>
    textsField(data, `target_${type}`).map((name) => ({ type, [type === 'user' ? 'username' : 'name']: name })),
  );
  const [alias, entity, details, tags] = [textField(data, 'alias'), textField(data, 'entity'), recordField(data, 'details'), textsField(data, 'tags')];
  const content = {
    message: shorten(subject || body, 130),
    description: shorten(body, 15_000),
    priority: `P${typeof data['priority'] === 'number' ? data['priority'] : 3}`,
    source: 'Prefect Notifications',
    ...(responders.length > 0 && { responders }),
    ...(alias && { alias }),
    ...(entity && { entity }),
    details: { ...details, type: 'info' },
    ...(tags.length > 0 && { tags }),
  };
  return [post(`https://${host}/v2/alerts`, content, { authorization: `GenieKey ${requiredField(data, 'apikey')}` })];
};

const sendgrid: Compose = (data, { subject, body }) => {
  const from = requiredField(data, 'sender_email');
  const recipients = textsField(data, 'to_emails');
  // To each a message of its own: nobody sees who else is told.
  return (recipients.length > 0 ? recipients : [from]).map((email) => {
    const content = { personalizations: [{ to: [{ email }] }], from: { email: from }, subject: subject || '<no subject>', content: [{ type: 'text/html', value: body }] };
    return post('https://api.sendgrid.com/v3/mail/send', content, { authorization: `Bearer ${requiredField(data, 'api_key')}` });
  });
};

const twilio: Compose = (data, notification) => {
  const account = requiredField(data, 'account_sid');
  const credentials = Buffer.from(`${account}:${requiredField(data, 'auth_token')}`).toString('base64');
  const from = requiredField(data, 'from_phone_number');
  return textsField(data, 'to_phone_numbers').map((to) => ({
    method: 'POST',
    url: `https://api.twilio.com/2010-04-01/Accounts/${encodeURIComponent(account)}/Messages.json`,
    headers: { authorization: `Basic ${credentials}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ From: from, To: to, Body: joined(notification) }).toString(),
  }));
};

/** What composes the requests of a type of block, by its slug. */
export const SERVICES: Readonly<Record<string, Compose>> = {
  'slack-webhook': slack,
  'slack-incoming-webhook': slackIncoming,
  'ms-teams-webhook': teams,
  'discord-webhook': discord,
  'mattermost-webhook': mattermost,
  'pager-duty-webhook': pagerDuty,
  'opsgenie-webhook': opsgenie,
  'sendgrid-email': sendgrid,
  'twilio-sms': twilio,
};
