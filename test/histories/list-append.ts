import { defineJob, kafkaSink, kafkaSource, listState, type Output, utf8 } from '../../lib/api/index.ts';
import { sightingsBy, timesOf } from '../simulation/jobs/lines.ts';
import { INPUT, JOB, type SimJob } from '../simulation/sim-job.ts';
import { faultless } from '../simulation/user-code.ts';

/** Of each key the list of what it has seen, with each that comes: what the checkers of databases call list-append. */
export const listAppend: SimJob = {
  name: 'list-append',
  define: (build, startingOffsets, code = faultless) =>
    defineJob(JOB, (job) => {
      job
        .source('read', kafkaSource({ topic: INPUT, value: code.lines, startingOffsets }))
        .flatMap(sightingsBy(build, code))
        .keyBy(({ word }) => word, utf8)
        .process('append', {
          state: { seen: listState(utf8) },
          onRecord({ place, weight }, { seen }, out: Output<string>, { key }) {
            for (let left = timesOf(build, weight); left > 0; left--) {
              seen.add(place);
              out.emit(`${key} ${place}: ${[...seen].join(' ')}`);
            }
          },
        })
        .sink('write', kafkaSink({ topic: 'output', value: utf8 }));
    }),
};
