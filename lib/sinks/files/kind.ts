import type { SinkKind } from '../kind.ts';
import { rowOf } from '../output-row.ts';
import { CONNECTOR } from './committable.ts';
import { FilesEncoder } from './files-encoder.ts';
import type { FileSinkSpec, FileTarget } from './spec.ts';
import { decodeStagedFiles } from './staged-files.ts';

/** Files in a bucket or a folder. */
export const filesKind = {
  targetOf: ({ kind, location, manifests }) => ({ kind, location, manifests }),
  names: () => [],
  renamed: (spec) => spec,
  describe: ({ kind, location, format, compression }) => ({ to: kind, location, format: format.name, compression }),
  serdesOf: () => ({}),
  topics: () => [],
  writesTo: ({ location }) => `writes files in ${location}`,
  rows: (_, payload, name) =>
    decodeStagedFiles(payload, name).sections.flatMap(({ folder, content, rows }) =>
      rows === 0 ? [] : linesOf(content).map((line) => rowOf(folder, line, undefined)),
    ),
  // Its path and its columns may.
  givesToUser: () => true,
  encoder: (spec, context) => new FilesEncoder(spec, context),
  connectors: { 'exactly-once': CONNECTOR, 'at-least-once': CONNECTOR },
} as const satisfies SinkKind<FileSinkSpec, FileTarget>;

/** Of a format without lines it is one. */
function linesOf(content: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < content.length; ) {
    const newline = content.indexOf(0x0a, start);
    const end = newline < 0 ? content.length : newline + 1;
    lines.push(content.subarray(start, newline < 0 ? end : newline));
    start = end;
  }
  return lines;
}
