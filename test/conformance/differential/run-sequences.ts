import { resources } from './sequences/index.ts';
import { describeCrash, describeFinding, type Judge } from './report.ts';
import { type Sequence, type Step, TwinClient, type Twins } from './twin-client.ts';

export interface NamedSequence {
  /** `flows: filter` */
  name: string;
  sequence: Sequence;
}

/** The sequences whose name contains one of the patterns; all of them where there is none. */
export function findSequences(patterns: readonly string[] = []): NamedSequence[] {
  return Object.entries(resources)
    .flatMap(([resource, sequences]) => Object.entries(sequences).map(([name, sequence]) => ({ name: `${resource}: ${name}`, sequence })))
    .filter(({ name }) => patterns.length === 0 || patterns.some((pattern) => name.includes(pattern)));
}

export interface SequenceResult {
  steps: Step[];
  /** What is unexplained, each ready to print. */
  problems: string[];
}

/** Plays a sequence on both servers. Never throws: a sequence that breaks off is a problem too. */
export async function runSequence({ name, sequence }: NamedSequence, twins: Twins, judge: Judge): Promise<SequenceResult> {
  const client = new TwinClient(twins, name);
  const crash = await sequence(client).then(
    () => [],
    (error: unknown) => [describeCrash(error)],
  );
  return { steps: client.steps, problems: [...judge.findings(client.steps).map(describeFinding), ...crash] };
}
