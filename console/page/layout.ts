/** Where the boxes of a graph are drawn. */
export interface Layout {
  /** By stage: its column, counted from the sources, and its place in the column. */
  readonly places: ReadonlyMap<string, { readonly column: number; readonly row: number }>;
  readonly columns: number;
  readonly rows: number;
}

interface Graph {
  readonly stages: readonly { readonly id: string; readonly kind: 'source' | 'operator' | 'sink' }[];
  readonly edges: readonly { readonly from: string; readonly to: string }[];
}

const SWEEPS = 4;

/**
 * In layers: each stage behind all that lead to it, sinks in the last column. In a column by the middle of what leads to them, so that few lines cross.
 * A plan has no circles, and lists a stage behind those that lead to it.
 */
export function layoutOf({ stages, edges }: Graph): Layout {
  const columnOf = new Map<string, number>();
  for (const { id, kind } of stages) {
    const before = edges.filter(({ to }) => to === id).map(({ from }) => columnOf.get(from) ?? 0);
    columnOf.set(id, before.length > 0 ? Math.max(...before) + 1 : KIND_COLUMN[kind]);
  }
  const last = Math.max(0, ...columnOf.values());
  for (const { id, kind } of stages) if (kind === 'sink') columnOf.set(id, last);
  const columns = Array.from({ length: last + 1 }, (_, column) => stages.map(({ id }) => id).filter((id) => columnOf.get(id) === column));
  const rowOf = new Map(columns.flatMap((ids) => ids.map((id, row) => [id, row] as const)));
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    for (const ids of columns) {
      const middle = new Map(ids.map((id) => [id, middleOf(id, edges, rowOf)]));
      ids.sort((one, other) => (middle.get(one) ?? 0) - (middle.get(other) ?? 0));
      for (const [row, id] of ids.entries()) rowOf.set(id, row);
    }
  }
  return {
    places: new Map(stages.map(({ id }) => [id, { column: columnOf.get(id) ?? 0, row: rowOf.get(id) ?? 0 }])),
    columns: columns.length,
    rows: Math.max(1, ...columns.map((ids) => ids.length)),
  };
}

/** Where a stage is drawn of which it is not known what leads to it. */
const KIND_COLUMN = { source: 0, operator: 1, sink: 2 } as const;

function middleOf(id: string, edges: Graph['edges'], rowOf: ReadonlyMap<string, number>): number {
  const neighbours = edges.filter(({ to, from }) => to === id || from === id).map(({ from, to }) => rowOf.get(to === id ? from : to) ?? 0);
  return neighbours.length === 0 ? (rowOf.get(id) ?? 0) : neighbours.reduce((sum, row) => sum + row, 0) / neighbours.length;
}
