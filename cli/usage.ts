import { parameters } from '../lib/config/parameters.ts';
import { EXIT } from './exit-codes.ts';

export const USAGE = `usage: onceflow <command> [options]

  status                    is the job well? who runs it, which epoch is committed, how far behind is it
  epochs [--limit N]        the newest epochs (default 20)
  transactions              the job's transactional ids as Kafka sees them; what holds up readers
  stop [--timeout S]        finish and commit the running epoch, leave no transaction open; a start goes on from there
  cancel [--timeout S] [--retention retain|delete]
                            give up what is not decided; with "delete" remove the job and all its data
                            (default: ${parameters.cancelRetention.variable}, or retain)
  resume                    let a stopped or failed job run again

  --job NAME                the job; otherwise ${parameters.jobName.variable}, or the name of the job in ${parameters.job.variable}
  --json                    one JSON object on standard output
  --help                    this text

stop and cancel wait at most S seconds (default 120). They also work when the job is dead: then they do themselves what is
left to do. What was decided is always committed, also by cancel: a decision cannot be taken back.

Configured like the job, by ${parameters.table.variable}, ${parameters.brokers.variable}, ${parameters.blobs.variable} and the variables of the AWS SDK; a
command asks only for those that it needs.

exit codes: ${EXIT.ok} well, done   ${EXIT.failed} table, broker or blob store failed   ${EXIT.usage} wrong arguments or configuration
            ${EXIT.noSuchJob} no such job   ${EXIT.jobFailed} the job failed   ${EXIT.dead} the job is to run and nobody runs it
            ${EXIT.heldUp} a transaction that nobody ends holds up readers   ${EXIT.timedOut} not finished within --timeout
            ${EXIT.startedAgain} somebody started the job meanwhile   ${EXIT.noProgress} the job runs and makes no progress`;
