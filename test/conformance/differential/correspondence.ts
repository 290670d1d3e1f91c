const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
/** As a test may write it: in capitals, without dashes. */
const UUID_SENT = /[0-9a-f]{8}(-?)[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{4}\1[0-9a-f]{12}/gi;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?(Z|[+-]\d\d:\d\d)$/;
const TIME_SENT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?(?:Z|[+-]\d\d:\d\d)?/g;
/** The names that a server gives to runs: `tactful-badger`. */
const INVENTED_NAME = /^[a-z]+-[a-z]+$/;
/** Fields whose text a server makes up in whatever form it likes. */
const OPAQUE_FIELDS = /\.(?:next_page|token)$/;
/** Numbers that a server computes with its clock. */
const DURATION_FIELDS = /\.(?:estimated_run_time|estimated_start_time_delta|total_run_time|sum_estimated_run_time|sum_estimated_lateness|duration|lateness|time_in_current_state)$|^body$/;
/** The same in whole seconds. */
const WAIT_FIELD = /\.delay_seconds$/;

/** How far the clocks of two answers may be apart: the servers work at the same time, but not equally fast. */
const TOLERANCE_MS = 15_000;

/**
 * Which text of the real server's answers stands for which of ours: ids, times and names that the servers invented. A text
 * that was once set against another stays so; what the test itself has sent stands for itself.
 */
export class Correspondence {
  readonly #ours: Map<string, string>;
  readonly #real: Map<string, string>;
  readonly #sentTimes: Set<number>;
  #sent: string;

  constructor(ours = new Map<string, string>(), real = new Map<string, string>(), sentTimes = new Set<number>(), sent = '') {
    this.#ours = ours;
    this.#real = real;
    this.#sentTimes = sentTimes;
    this.#sent = sent;
  }

  /** A copy to try things with. */
  fork(): Correspondence {
    return new Correspondence(new Map(this.#ours), new Map(this.#real), this.#sentTimes, this.#sent);
  }

  /** Remembers what the test sends, before translation: its times and texts are equal on both sides. */
  noteSent(text: string): void {
    this.#sent += text.length < 20_000 ? text : '';
    for (const [time] of text.matchAll(TIME_SENT)) if (!this.#ours.has(time)) this.#sentTimes.add(Date.parse(/Z|[+-]\d\d:\d\d$/.test(time) ? time : `${time}Z`));
  }

  /** Whether the test has sent this text itself. */
  hasSent(text: string): boolean {
    return this.#sent.includes(text);
  }

  /** A text as our server must see it: whole texts and the ids in it, where they are known. */
  translateText(text: string): string {
    return this.#ours.get(text) ?? text.replace(UUID_SENT, (id) => this.#translateId(id));
  }

  /** The id that stands for this one, written in the same way. */
  #translateId(id: string): string {
    const digits = id.toLowerCase().replaceAll('-', '');
    const dashed = [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20)].join('-');
    const ours = this.#ours.get(dashed);
    if (ours === undefined) return id;
    const written = id.includes('-') ? ours : ours.replaceAll('-', '');
    return id === id.toUpperCase() ? written.toUpperCase() : written;
  }

  /** The JSON text of a request, every string in it translated. */
  translateBody(body: string): string {
    return body.replace(/"(?:[^"\\]|\\.)*"/g, (token) => `"${this.translateText(token.slice(1, -1))}"`);
  }

  translatePath(path: string): string {
    return path.replace(/[^/?&=]+/g, (segment) => this.translateText(segment));
  }

  /** Whether the two texts, found at the same place of the two answers, stand for the same thing. */
  match(at: string, real: string, ours: string): boolean {
    if (real === ours) return true;
    if (this.#ours.has(real)) return this.#ours.get(real) === ours;
    if (this.translateText(real) === ours) return true;
    if (OPAQUE_FIELDS.test(at) || (at.endsWith('name') && INVENTED_NAME.test(real) && INVENTED_NAME.test(ours))) return this.#pair(real, ours);
    return this.#matchTimes(real, ours) || this.#matchIds(real, ours);
  }

  /** Whether two numbers are the same measure, taken with different clocks. */
  matchDurations(at: string, real: number, ours: number): boolean {
    const isDuration = WAIT_FIELD.test(at) || (DURATION_FIELDS.test(at) && !(Number.isInteger(real) && Number.isInteger(ours)));
    return isDuration && Math.abs(real - ours) * 1000 < TOLERANCE_MS;
  }

  #matchTimes(real: string, ours: string): boolean {
    const [one, other] = [TIME.exec(real), TIME.exec(ours)];
    if (one === null || other === null || one[2] !== other[2]) return false;
    if (this.#sentTimes.has(Date.parse(real)) || Math.abs(Date.parse(real) - Date.parse(ours)) > TOLERANCE_MS) return false;
    this.#ours.set(real, ours);
    return true;
  }

  /** Texts that differ in nothing but ids: `prefect.flow-run.{id}`. */
  #matchIds(real: string, ours: string): boolean {
    const [ids, others] = [real.match(UUID) ?? [], ours.match(UUID) ?? []];
    if (ids.length === 0 || real.replace(UUID, '') !== ours.replace(UUID, '')) return false;
    return ids.every((id, index) => this.#pair(id, others[index] ?? ''));
  }

  #pair(real: string, ours: string): boolean {
    if (real !== ours && (this.hasSent(real) || this.hasSent(ours)) && !this.#ours.has(real)) return false;
    if ((this.#ours.get(real) ?? ours) !== ours || (this.#real.get(ours) ?? real) !== real) return false;
    this.#ours.set(real, ours);
    this.#real.set(ours, real);
    return true;
  }
}
