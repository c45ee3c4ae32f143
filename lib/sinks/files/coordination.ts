import { byName } from '../../config/by-name.ts';
import { growingPauses } from '../../ports/pause.ts';
import type { SinkTargets } from '../../ports/sink-targets.ts';
import { StoreProblem } from '../../ports/store-problem.ts';
import type { OpenUpload, UploadStore } from '../../ports/uploads.ts';
import type {
  Learnt,
  OpenWatch,
  PoolScope,
  PreparedCoordination,
  SettleOutcome,
  SinkEvent,
  SinkOfRun,
  SinkTargetOf,
  Until,
} from '../connector.ts';
import { CONNECTOR, filesCommittable, uploadsOf } from './committable.ts';
import { isOwnKey } from './paths.ts';
import type { FileTarget } from './spec.ts';
import type { PrepareTerms } from './terms.ts';

const FIRST_PAUSE_MS = 10;
const LONGEST_PAUSE_MS = 1_000;

/** The half where the coordinator is. */
export function coordinateFiles(targets: SinkTargets): PreparedCoordination {
  return {
    how: 'prepared',
    connector: CONNECTOR,
    poolOf: CONNECTOR,
    refusalOf: () => Promise.resolve(undefined),
    learn: (sinks) => tryLocations(targets, sinks),
    placesOf: (target) => [fileTarget(target).location],
    placesIn: (committable) => [filesCommittable(committable).location],
    prepareTerms(target): PrepareTerms {
      const { location, manifests } = fileTarget(target);
      return { location, manifests };
    },
    commitTerms: () => Promise.resolve({}),
    // An upload has a name that nobody else knows: nothing can have come into it.
    problemOf: () => Promise.resolve(undefined),
    namesOf(committable) {
      const files = filesCommittable(committable);
      return { location: files.location, files: uploadsOf(files).length, firstFile: files.files[0]?.key ?? '' };
    },
    settle: (until, scope, tell) => settle(until, targets, scope, tell),
    watch: (scope) => watch(targets, scope),
  };
}

function fileTarget(target: SinkTargetOf): FileTarget {
  return target as FileTarget;
}

/** A bucket that is not there, or may not be written to, is said when the job starts. */
async function tryLocations(targets: SinkTargets, sinks: readonly SinkOfRun[]): Promise<Learnt> {
  for (const location of new Set(sinks.map(({ target }) => fileTarget(target).location))) {
    try {
      await (await targets.uploads(location)).open();
    } catch (error) {
      if (!(error instanceof StoreProblem) || error.retriable) throw error;
      return { outcome: 'refused', message: `the location ${location} of a sink cannot be used: ${error.message}` };
    }
  }
  return { outcome: 'learnt', facts: byName(sinks.map(({ sink }) => [sink, {}] as const)) };
}

interface OpenPlace {
  readonly store: UploadStore;
  readonly open: readonly OpenUpload[];
}

/**
 * In each place of the pool: what the job has begun there. A place where the job may not look any more, or that is gone, counts as one
 * without any: it was a location of the job once, uploads are in nobody's way, and this run's locations were tried when it started.
 * `said`: the places of which that was told.
 */
async function openIn(
  targets: SinkTargets,
  scope: PoolScope,
  tell: (event: SinkEvent) => void,
  said: Set<string>,
): Promise<readonly OpenPlace[]> {
  const places = [...new Set(Object.values(scope.sinks).flatMap(({ places }) => places))];
  const found = await Promise.all(
    places.map(async (place): Promise<OpenPlace[]> => {
      try {
        const store = await targets.uploads(place);
        return [{ store, open: (await store.open()).filter(({ key }) => isOwnKey(key, scope)) }];
      } catch (error) {
        if (!(error instanceof StoreProblem) || error.retriable || error.isSetting) throw error;
        if (!said.has(place)) {
          const message = `what the job may have left unfinished in ${place} is not ended, a lifecycle rule of the bucket may: ${error.message}`;
          tell({ event: 'warning', message });
        }
        said.add(place);
        return [];
      }
    }),
  );
  return found.flat();
}

async function settle(until: Until, targets: SinkTargets, scope: PoolScope, tell: (event: SinkEvent) => void): Promise<SettleOutcome> {
  const pauses = growingPauses(until, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
  const said = new Set<string>();
  let ends = 0;
  try {
    for (;;) {
      const places = await openIn(targets, scope, tell, said);
      const open = places.flatMap((place) => place.open.map((upload) => ({ ...upload, store: place.store })));
      if (open.length === 0) return { outcome: 'settled', ends };
      if (until.clock.elapsedMs() >= until.deadlineMs)
        return {
          outcome: 'failed',
          retriable: true,
          message: `${open.length} uploads could not be ended, the first being ${open[0]?.key}`,
        };
      await Promise.all(open.map(({ store, key, upload }) => store.abort(key, upload)));
      ends += open.length;
      // A part that was on its way may have come behind the abort.
      await pauses.wait();
    }
  } catch (error) {
    if (!(error instanceof StoreProblem)) throw error;
    return { outcome: 'failed', retriable: error.retriable, message: `uploads could not be ended: ${error.message}` };
  }
}

/** An upload that is open in two looks is no epoch's that goes well. */
function watch(targets: SinkTargets, scope: PoolScope): OpenWatch {
  let before = new Set<string>();
  const said = new Set<string>();
  return {
    async look(tell) {
      const places = await openIn(targets, scope, tell, said);
      const now = new Set(places.flatMap(({ open }) => open.map(({ key, upload }) => `${key} ${upload}`)));
      const isLeft = [...now].some((each) => before.has(each));
      before = now;
      return isLeft;
    },
  };
}
