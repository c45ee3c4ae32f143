import * as z from 'zod';
import { MalformedError } from '../../protocol/malformed.ts';
import { count, list, name, type Own, shapeFault } from '../../protocol/shape.ts';

/** What encoders and commits have to know of a topic, as the coordinator saw it. */
const topicFactsSchema = z
  .object({
    topic: name,
    partitions: z.int().min(1),
    /** The largest record batch that it takes. */
    maxBatchBytes: z.int().min(1),
    /** Is its log compacted? */
    compacted: z.boolean(),
  })
  .readonly();
export type TopicFacts = z.infer<typeof topicFactsSchema>;

/** Of all topics of a sink, in their order. */
const factsSchema = z.object({ topics: list(topicFactsSchema) }).readonly();
export type KafkaFacts = z.infer<typeof factsSchema>;

/** What a prepare has to know. */
const prepareTermsSchema = z.object({ topics: list(name), transactionTimeoutMs: z.int().min(1) }).readonly();
export type PrepareTerms = z.infer<typeof prepareTermsSchema>;

/** What a commit has to know besides the committables, and a resolve. */
const commitTermsSchema = z
  .object({
    /** Topics of theirs whose log is compacted. */
    compacted: list(name),
    transactionTimeoutMs: count.optional(),
  })
  .readonly();
export type CommitTerms = z.infer<typeof commitTermsSchema>;

/** @throws MalformedError, as all of these do */
export function kafkaFacts(facts: Own, sink: string): KafkaFacts {
  return taken(factsSchema, facts, `what is known of the topics of sink ${sink}`);
}

/** Of the facts of all sinks of a run, those of topics. */
export function factsOfTopics(facts: Readonly<Record<string, Own>>): TopicFacts[] {
  const ofKafka = Object.values(facts).filter((of): of is KafkaFacts => shapeFault(factsSchema, of) === undefined);
  return ofKafka.flatMap(({ topics }) => topics);
}

export function prepareTerms(terms: Own): PrepareTerms {
  return taken(prepareTermsSchema, terms, 'what a prepare was told');
}

export function commitTerms(terms: Own): CommitTerms {
  return taken(commitTermsSchema, terms, 'what a commit was told');
}

function taken<T>(schema: z.ZodType<T>, value: Own, what: string): T {
  const fault = shapeFault(schema, value);
  if (fault !== undefined) throw new MalformedError(`${what} is not what Kafka's connector says: ${fault}`);
  return value as T;
}
