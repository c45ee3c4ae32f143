/** Of a state that all subtasks of a stage hold alike one writes the snapshots. Does this one? */
export function keepsShared(subtask: number): boolean {
  return subtask === 0;
}
