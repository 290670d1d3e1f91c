import type { JsonObject } from '@praetor/schema/json';
import { requiredField, textField, textsField } from './block-fields.ts';
import { InvalidRequestError, UnansweredError } from './http-request.ts';
import { findPublicAddress } from './private-addresses.ts';
import type { Notification } from './services.ts';

/* E-mail through a block of type `email-server-credentials` (prefect-email), by SMTP. */

/** Prefect's names for well-known servers, which older documents hold instead of the host. */
const SERVERS: Readonly<Record<string, string>> = {
  AOL: 'smtp.aol.com',
  ATT: 'smtp.mail.att.net',
  COMCAST: 'smtp.comcast.net',
  ICLOUD: 'smtp.mail.me.com',
  GMAIL: 'smtp.gmail.com',
  OUTLOOK: 'smtp-mail.outlook.com',
  YAHOO: 'smtp.mail.yahoo.com',
};

const TYPES: Readonly<Record<string, number>> = { SSL: 465, STARTTLS: 587, INSECURE: 25 };

const TIMEOUT_MS = 15_000;

/** SMTP refuses for good from 500 on, and for now from 400 on. Once the text was sent, silence does not tell whether it was taken. */
function judge(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const [responseCode, command]: unknown[] = [Reflect.get(error, 'responseCode'), Reflect.get(error, 'command')];
  if (typeof responseCode === 'number') return responseCode >= 500 ? new InvalidRequestError(error.message, { cause: error }) : error;
  return command === 'DATA' ? new UnansweredError(`No answer came: ${error.message}`, { cause: error }) : error;
}

/**
 * Sends a notification by e-mail, to `email_to` of the block (a text or a list) or to the account itself. The connection is
 * encrypted unless the block says INSECURE (25). Throws InvalidRequestError, also where the server refuses for good,
 * PrivateAddressError, UnansweredError, and the errors of SMTP that may be over later.
 */
export async function sendEmail(data: JsonObject, { subject, body }: Notification, signal: AbortSignal): Promise<void> {
  const username = textField(data, 'username');
  const given = textField(data, 'smtp_server') ?? 'smtp.gmail.com';
  const host = SERVERS[given.toUpperCase()] ?? given;
  const kind = data['smtp_type'] ?? 465;
  const type = typeof kind === 'number' ? kind : (TYPES[String(kind).toUpperCase()] ?? Number(kind));
  const port = typeof data['smtp_port'] === 'number' ? data['smtp_port'] : type;
  const to = textsField(data, 'email_to');
  const from = textField(data, 'email_from') ?? username ?? requiredField(data, 'email_from');
  // Loaded where it is used: most installations send no e-mail.
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    host: data['allow_private_urls'] === true ? host : await findPublicAddress(host),
    port,
    secure: type === 465,
    requireTLS: type === 587,
    ignoreTLS: type === 25,
    tls: { servername: host },
    ...(username !== undefined && data['password'] != null && { auth: { user: username, pass: requiredField(data, 'password') } }),
    connectionTimeout: TIMEOUT_MS,
    greetingTimeout: TIMEOUT_MS,
    socketTimeout: TIMEOUT_MS,
  });
  try {
    await transport.sendMail({ from, to: to.length > 0 ? to : from, subject, text: body, signal });
  } catch (error) {
    throw judge(error);
  } finally {
    transport.close();
  }
}
