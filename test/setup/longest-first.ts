import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * The files that take longest, longest first. A clean clone knows no times of runs before: then vitest goes by the size of a file, and one that is
 * short and takes a minute runs alone in the end.
 */
export const LONGEST: readonly string[] = [
  'test/chaos/all-sinks.test.ts',
  'test/chaos/three-brokers.test.ts',
  'test/integration/session.test.ts',
  'test/integration/job/control.test.ts',
  'test/integration/job/disasters.test.ts',
  'test/integration/job/workers.test.ts',
  'test/integration/job/sinks.test.ts',
  'test/integration/job/bad-input.test.ts',
  'test/integration/job/security.test.ts',
  'test/integration/job/restart.test.ts',
  'test/integration/job/nexmark.test.ts',
  'test/integration/job/stop.test.ts',
  'test/integration/job/boundaries.test.ts',
  'test/integration/console.test.ts',
  'test/integration/job/poison.test.ts',
  'test/integration/job/rescale.test.ts',
  'test/integration/job/savepoints.test.ts',
  'test/integration/job/replay.test.ts',
  'test/integration/stack.test.ts',
  'test/integration/job/two-clusters.test.ts',
  'test/integration/job/several-topics.test.ts',
  'test/integration/dev.test.ts',
  'test/simulation/seeds.test.ts',
  'test/simulation/length.test.ts',
  'test/unit/infra/what-runs.test.ts',
  'test/unit/local/commands.test.ts',
  'test/unit/infra/stream-job.test.ts',
  'test/unit/workers/worker-server.test.ts',
  'test/unit/mutation/campaign.test.ts',
];

/** Those of a project one after the other, as ever: a worker goes on with a file of the project that it has loaded. */
export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const inOrder = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification) => {
      const place = LONGEST.findIndex((file) => moduleId.endsWith(`/${file}`));
      return place === -1 ? LONGEST.length : place;
    };
    const ofProjects = Map.groupBy(inOrder, ({ project }) => project);
    return [...ofProjects.values()].flatMap((ofProject) => ofProject.toSorted((one, other) => rank(one) - rank(other)));
  }
}
