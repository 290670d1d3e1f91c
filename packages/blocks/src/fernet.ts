import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/*
 * Fernet tokens (github.com/fernet/spec): Prefect encrypts block documents with them, and they must stay readable to it.
 * Version 0x80, seconds since 1970 (8 bytes), initialisation vector (16), AES-128-CBC, HMAC-SHA256 over all before (32).
 */

const VERSION = 0x80;
const IV_START = 9;
const TEXT_START = 25;
const SIGNATURE_LENGTH = 32;

export interface FernetKey {
  readonly signing: Buffer;
  readonly encryption: Buffer;
}

/** Python writes and expects the padding that Node leaves out of base64url. */
function toPaddedBase64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('+', '-').replaceAll('/', '_');
}

/** The text of a new key. */
export function generateFernetKey(): string {
  return toPaddedBase64(randomBytes(32));
}

/** Throws RangeError unless the text is base64 of 32 bytes. */
export function parseFernetKey(text: string): FernetKey {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length !== 32) throw new RangeError('A Fernet key is 32 bytes in URL-safe base64.');
  return { signing: bytes.subarray(0, 16), encryption: bytes.subarray(16) };
}

function sign(key: FernetKey, bytes: Buffer): Buffer {
  return createHmac('sha256', key.signing).update(bytes).digest();
}

export function encrypt(key: FernetKey, text: string): string {
  const head = Buffer.alloc(IV_START);
  head.writeUInt8(VERSION);
  head.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 1000)), 1);
  const iv = randomBytes(TEXT_START - IV_START);
  const cipher = createCipheriv('aes-128-cbc', key.encryption, iv);
  const signed = Buffer.concat([head, iv, cipher.update(text, 'utf8'), cipher.final()]);
  return toPaddedBase64(Buffer.concat([signed, sign(key, signed)]));
}

/** Throws where the token was not made with this key. */
export function decrypt(key: FernetKey, token: string): string {
  const bytes = Buffer.from(token, 'base64url');
  const signed = bytes.subarray(0, -SIGNATURE_LENGTH);
  const signature = bytes.subarray(-SIGNATURE_LENGTH);
  if (signed.length < TEXT_START || signed[0] !== VERSION || !timingSafeEqual(signature, sign(key, signed)))
    throw new Error('A block document cannot be decrypted: it was encrypted with another key (PREFECT_SERVER_ENCRYPTION_KEY).');
  const decipher = createDecipheriv('aes-128-cbc', key.encryption, signed.subarray(IV_START, TEXT_START));
  return decipher.update(signed.subarray(TEXT_START), undefined, 'utf8') + decipher.final('utf8');
}
