import type { Api, Answer } from '@praetor/test/support/api';

/** What clients did with flow runs, one by one and many at once, as far as they were told. */
export class RunLedger {
  readonly #deploymentId: string;
  /** States that were accepted. */
  readonly stateIds: string[] = [];
  /** Runs that somebody asked to delete. */
  readonly deletedIds = new Set<string>();

  constructor(deploymentId: string) {
    this.#deploymentId = deploymentId;
  }

  /** Sends a request whose answer may be lost; what it did may then stand in the way of later ones, so refusals are no fault. */
  async #ask(api: Api, method: string, path: string, body?: object): Promise<Answer['body']> {
    const answer = await api.request(method, path, body).catch(() => undefined);
    return answer !== undefined && answer.status < 300 ? answer.body : undefined;
  }

  #note(result: { status?: string; state?: { id: string } | null } | undefined): void {
    if (result?.status === 'ACCEPT' && result.state) this.stateIds.push(result.state.id);
  }

  async #propose(api: Api, id: string, type: string): Promise<void> {
    this.#note(await this.#ask(api, 'POST', `/flow_runs/${id}/set_state`, { state: { type } }));
  }

  /** The lives of four runs: two end, one stays, and each of the two ways to delete has one. */
  async live(api: Api): Promise<void> {
    const created = await this.#ask(api, 'POST', `/deployments/${this.#deploymentId}/create_flow_run/bulk`, Array.from({ length: 4 }, () => ({})));
    const [first, second, third, fourth] = (created?.results ?? []).map(({ flow_run_id: id }: { flow_run_id: string }) => id);
    if (fourth === undefined) return;
    const flow_runs = { id: { any_: [first, second, third, fourth] } };
    const pending = await this.#ask(api, 'POST', '/flow_runs/bulk_set_state', { flow_runs, state: { type: 'PENDING' } });
    // A run that does not become Pending takes no slot, and would give back another's.
    if (pending === undefined) return;
    for (const result of pending.results) this.#note(result);
    for (const id of [first, second, third]) await this.#propose(api, id, 'RUNNING');
    await this.#propose(api, first, 'COMPLETED');
    await this.#propose(api, second, 'FAILED');
    this.deletedIds.add(second).add(fourth);
    await this.#ask(api, 'DELETE', `/flow_runs/${second}`);
    await this.#ask(api, 'POST', '/flow_runs/bulk_delete', { flow_runs: { id: { any_: [fourth] } } });
  }
}
