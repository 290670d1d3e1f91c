import { type Kysely, type OperationNode, type RawBuilder, sql as template } from 'kysely';

/** A statement or a part of one: `await` runs it and gives its rows; inside another template it becomes part of that one. */
export interface Statement<Rows> extends PromiseLike<Rows> {
  toOperationNode(): OperationNode;
}

/** SQL by template: values become parameters, a nested statement becomes a part. Of a pool or of a transaction. */
export interface Sql {
  <Rows extends readonly object[] = Record<string, unknown>[]>(strings: TemplateStringsArray, ...values: unknown[]): Statement<Rows>;
  /** Text that is SQL itself and is not escaped. */
  unsafe<Rows extends readonly object[] = Record<string, unknown>[]>(text: string): Statement<Rows>;
  /** Runs `work` in one transaction. */
  begin<T>(work: (sql: Sql) => Promise<T>): Promise<T>;
}

/** The template of a Kysely instance; that of a transaction runs within it. */
export function sqlOf<Tables>(db: Kysely<Tables>): Sql {
  function statement<Rows>(builder: RawBuilder<unknown>): Statement<Rows> {
    // Who writes a statement says what its rows are; nothing else can know.
    const run = async () => (await builder.execute(db)).rows as Rows;
    // oxlint-disable-next-line unicorn/no-thenable -- to be awaited is its purpose
    return { toOperationNode: () => builder.toOperationNode(), then: (resolved, rejected) => run().then(resolved, rejected) };
  }
  return Object.assign(<Rows>(strings: TemplateStringsArray, ...values: unknown[]) => statement<Rows>(template(strings, ...values)), {
    unsafe: <Rows>(text: string) => statement<Rows>(template.raw(text)),
    begin: <T>(work: (sql: Sql) => Promise<T>) => db.transaction().execute((transaction) => work(sqlOf(transaction))),
  });
}
