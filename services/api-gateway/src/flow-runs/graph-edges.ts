import type { GraphNode } from '@praetor/schema/flow-run-graph';
import type { TaskRun } from '@praetor/schema/task-run';

type Edges = Pick<GraphNode, 'parents' | 'children' | 'encapsulating'>;
type TaskInputs = TaskRun['task_inputs'];

interface Vertex {
  edge: { id: string };
  position: number;
  repetitions: number;
  edges: Edges;
}

/** The inputs of a task, where one without arguments and an argument without inputs count as one. */
function countInputs(inputs: TaskInputs): number {
  return Math.max(1, Object.values(inputs).reduce((count, values) => count + Math.max(1, values.length), 0));
}

/**
 * The edges of each node by its id: to the tasks whose results it took, back, and to the tasks that called it (the input
 * `__parents__`), each list in the order of the nodes. An edge is there as often as its child took the result times the
 * inputs of its parent, as with Prefect, whose UI draws it once.
 */
export function connectNodes(nodes: readonly { id: string; task_inputs: TaskInputs }[]): ReadonlyMap<string, Edges> {
  const vertices = nodes.map(
    ({ id, task_inputs }, position): Vertex => ({ edge: { id }, position, repetitions: countInputs(task_inputs), edges: { parents: [], children: [], encapsulating: [] } }),
  );
  const byId = new Map(vertices.map((vertex) => [vertex.edge.id, vertex]));
  const find = (inputs: TaskInputs[string]) =>
    inputs.flatMap((input) => ('id' in input ? (byId.get(input.id) ?? []) : [])).sort((left, right) => left.position - right.position);

  for (const { id, task_inputs } of nodes) {
    const { __parents__: wrappers = [], ...inputs } = task_inputs;
    const child = byId.get(id);
    for (const parent of find(Object.values(inputs).flat()))
      for (let repetition = 0; repetition < parent.repetitions; repetition++) {
        child?.edges.parents.push(parent.edge);
        parent.edges.children.push({ id });
      }
    for (const { edge } of new Set(find(wrappers))) child?.edges.encapsulating.push(edge);
  }
  return new Map(vertices.map(({ edge, edges }) => [edge.id, edges]));
}
