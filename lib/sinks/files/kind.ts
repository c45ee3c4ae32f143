import type { SinkKind } from '../kind.ts';
import { CONNECTOR } from './committable.ts';
import { FilesEncoder } from './files-encoder.ts';
import type { FileSinkSpec, FileTarget } from './spec.ts';

/** Files in a bucket or a folder. */
export const filesKind = {
  targetOf: ({ kind, location, manifests }) => ({ kind, location, manifests }),
  names: () => [],
  renamed: (spec) => spec,
  describe: ({ kind, location, format, compression }) => ({ to: kind, location, format: format.name, compression }),
  serdesOf: () => ({}),
  // Its path and its columns may.
  givesToUser: () => true,
  encoder: (spec, context) => new FilesEncoder(spec, context),
  connectors: { 'exactly-once': CONNECTOR, 'at-least-once': CONNECTOR },
} as const satisfies SinkKind<FileSinkSpec, FileTarget>;
