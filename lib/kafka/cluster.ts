import { type BrokerAddress, brokerText } from '../config/broker-address.ts';
import { answerOf, isPassing } from '../ports/broker-answers.ts';
import type { Clock } from '../ports/clock.ts';
import { type KafkaAnswer, KafkaProblem } from '../ports/kafka-requests.ts';
import { jittered } from '../ports/pause.ts';
import { BrokerLink, type LinkOptions } from './broker-link.ts';
import { codecs } from './codecs.ts';
import type { Told } from './first-answer.ts';
import { Informants } from './informants.ts';
import { KnownCoordinators } from './known-coordinators.ts';
import { KnownLeaders } from './known-leaders.ts';
import { type MetadataResponse, metadataRequest } from './metadata-request.ts';
import { answerProblem, type Login, noSuchTopicProblem, type Resource, refusalOf, unreachableProblem } from './problems.ts';
import { NoAnswer, type WireRequest } from './wire-request.ts';

export interface ClusterOptions {
  readonly seeds: readonly BrokerAddress[];
  readonly link: LinkOptions;
  readonly login: Login;
  readonly clock: Clock;
  readonly metadataMaxAgeMs: number;
  /**
   * A broker that is asked what any of them knows may take so long before the next one is asked too. A coordinator that is
   * not ready is asked about again when it was named longer ago.
   */
  readonly patienceMs: number;
  readonly log: (message: string) => void;
}

/**
 * A broker works on one request of a connection at a time, so what may take long has a connection of its own: `fetch`
 * waits for data, `produce` carries much, and neither must hold up a commit.
 */
export type Lane = 'control' | 'produce' | 'fetch';

export type CoordinatorKind = 'group' | 'transaction';

/** The answer of a request to a coordinator; with NONE the response is there. */
export type CoordinatorAnswer<T> =
  | { readonly answer: 'NONE'; readonly response: T }
  | { readonly answer: KafkaAnswer; readonly response: T | undefined };

const NO_BROKER = -1;
/** A topic that was created, or grew, a moment ago may not be known to every broker yet. */
const UNKNOWN_TOPIC_ASKS = 3;
const UNKNOWN_TOPIC_PAUSE_MS = 100;

/** Which broker is where, leads what and coordinates whom: learned when needed, forgotten when it proves wrong. */
export class Cluster {
  readonly login: Login;
  readonly #options: ClusterOptions;
  readonly #links = new Map<string, BrokerLink>();
  readonly #addresses = new Map<number, BrokerAddress>();
  readonly #informants: Informants;
  readonly #leaders: KnownLeaders;
  readonly #coordinators: KnownCoordinators;
  readonly #learning = new Map<string, Promise<readonly number[]>>();
  #learningBrokers: Promise<unknown> | undefined;
  #closed = false;

  constructor(options: ClusterOptions) {
    this.#options = options;
    const { clock, metadataMaxAgeMs, patienceMs } = options;
    this.#informants = new Informants(clock, patienceMs);
    this.#leaders = new KnownLeaders(clock, metadataMaxAgeMs, this.#informants);
    this.#coordinators = new KnownCoordinators(clock, patienceMs, this.#informants);
    this.login = options.login;
  }

  close(): void {
    this.#closed = true;
    for (const link of this.#links.values()) link.close();
  }

  // ---- Topics

  /**
   * The broker id that leads each partition, -1 where there is none at the moment. `seen`: partitions that somebody has seen.
   * When fewer are known here, the topic has grown, and is asked about again.
   */
  leaders(topic: string, seen = 0): Promise<readonly number[]> {
    const known = this.#leaders.of(topic, seen);
    if (known !== undefined) return Promise.resolve(known);
    const asked = `${topic} ${seen}`;
    const learning = this.#learning.get(asked) ?? this.#learnLeaders(topic, seen).finally(() => this.#learning.delete(asked));
    this.#learning.set(asked, learning);
    return learning;
  }

  /** The same for the leaders of these partitions. */
  leadersOf(topic: string, partitions: readonly number[]): Promise<readonly number[]> {
    return this.leaders(topic, Math.max(-1, ...partitions) + 1);
  }

  /** As it is known with the leaders, or of a broker that is asked now: another than the one that told of them, which may be cut off. */
  async topicId(topic: string, asked: 'as-known' | 'now'): Promise<string | undefined> {
    if (asked === 'now') this.forgetLeaders(topic);
    await (asked === 'now' ? this.#learnLeaders(topic, 0) : this.leaders(topic));
    return this.#leaders.idOf(topic);
  }

  /** Is it there, as far as the broker knows that is asked? Also of a topic that we may not see. */
  async mayExist(topic: string): Promise<boolean> {
    const { found } = await this.#topicMetadata(topic);
    return found === undefined || answerOf(found.errorCode) !== 'UNKNOWN_TOPIC_OR_PARTITION';
  }

  /** Next time another broker is asked than the one that told of them. */
  forgetLeaders(topic: string): void {
    this.#leaders.forget(topic);
  }

  async #learnLeaders(topic: string, seen: number): Promise<readonly number[]> {
    for (let asked = 1; ; asked++) {
      const { from, found } = await this.#topicMetadata(topic);
      const answer = answerOf(found?.errorCode ?? -1);
      if (answer === 'UNKNOWN_TOPIC_OR_PARTITION') {
        if (asked === UNKNOWN_TOPIC_ASKS) throw noSuchTopicProblem(this.login, topic);
        await this.#pauseBeforeAnother(from);
        continue;
      }
      if (found === undefined || answer !== 'NONE')
        throw answerProblem(this.login, `metadata of topic ${topic}`, answer, { kind: 'topic', name: topic });
      if (found.partitions.length < seen && asked < UNKNOWN_TOPIC_ASKS) {
        await this.#pauseBeforeAnother(from);
        continue;
      }
      return this.#leaders.learn(from, found);
    }
  }

  #pauseBeforeAnother(from: BrokerLink): Promise<void> {
    this.#informants.passOver(from);
    return this.#options.clock.sleep(jittered(UNKNOWN_TOPIC_PAUSE_MS, Math.random()));
  }

  /**
   * A broker that is cut off from the others tells of leaders of before: it is not believed while another answers. When all that
   * answer are behind what is known, the topic was made anew.
   */
  async #topicMetadata(topic: string) {
    const behind = new Set<BrokerLink>();
    for (;;) {
      const { from, response } = await this.#metadata([topic], `metadata of topic ${topic}`);
      const found = response.topics.find((one) => one.topic === topic);
      if (found === undefined || behind.has(from) || !this.#leaders.isBehind(found)) return { from, found };
      behind.add(from);
      this.#informants.passOver(from);
    }
  }

  async #metadata(topics: readonly string[], what: string): Promise<Told<BrokerLink, MetadataResponse>> {
    const told = this.required(await this.#tryAny(metadataRequest(topics)), what);
    for (const { nodeId, host, port } of told.response.brokers) this.#addresses.set(nodeId, { host, port });
    return told;
  }

  // ---- Requests

  /**
   * Sends to one broker, once. Calls for the same broker and lane reach its socket in the order of the calls.
   * NoAnswer also when the cluster has no broker of this id.
   */
  async sendTo<T>(broker: number, lane: Lane, request: WireRequest<T>): Promise<T | NoAnswer> {
    const link = this.#knownLink(broker, lane) ?? (await this.#findLink(broker, lane));
    return this.#heard(broker, link === undefined ? noSuchBroker(broker) : await link.send(request));
  }

  /** The same for a request that changes nothing: see `BrokerLink.read`. */
  async readFrom<T>(broker: number, lane: Lane, request: WireRequest<T>): Promise<T | NoAnswer> {
    const link = this.#knownLink(broker, lane) ?? (await this.#findLink(broker, lane));
    return this.#heard(broker, link === undefined ? noSuchBroker(broker) : await link.read(request));
  }

  /** Asks any broker that answers. Only for requests that change nothing. */
  async ask<T>(request: WireRequest<T>, what: string): Promise<T> {
    return this.required(await this.#tryAny(request), what).response;
  }

  /** Asks one broker, whichever answers, with a request that names it. Only for requests that change nothing. */
  async askOne<T>(requestFor: (broker: number) => Promise<WireRequest<T>>, what: string): Promise<T> {
    await this.#metadata([], what);
    if (this.#addresses.size === 0) throw unreachableProblem(this.login, what, 'the cluster names no broker');
    const brokers = new Map([...this.#addresses].map(([broker, address]) => [this.#link(address, 'control'), broker]));
    const told = await this.#informants.ask(brokers.keys(), (link) => requestFor(brokers.get(link) ?? NO_BROKER));
    return this.required(told, what).response;
  }

  /** Throws the `KafkaProblem` for a missing answer. */
  required<T>(response: T | NoAnswer, what: string): T {
    if (response instanceof NoAnswer) throw unreachableProblem(this.login, what, response.reason);
    return response;
  }

  /**
   * Sends to the coordinator of a group or transactional id, once. The coordinator is remembered until it turns out not
   * to be one any more; repeating is up to the caller.
   */
  async sendToCoordinator<T>(
    kind: CoordinatorKind,
    key: string,
    request: WireRequest<T>,
    answerIn: (response: T) => KafkaAnswer,
    about: Resource,
  ): Promise<CoordinatorAnswer<T>> {
    const coordinator = await this.#coordinator(kind, key);
    if ('refused' in coordinator) return { answer: coordinator.refused, response: undefined };
    const response = await this.sendTo(coordinator.broker, 'control', request);
    const answer = response instanceof NoAnswer ? 'NO_ANSWER' : answerIn(response);
    this.#coordinators.heard(`${kind} ${key}`, answer);
    this.logRefusal(`${request.api.name} of ${kind} ${key}`, answer, about);
    return { answer, response: response instanceof NoAnswer ? undefined : response };
  }

  /** Answers are values without words: what a person can do about a refusal goes to the log. */
  logRefusal(what: string, answer: KafkaAnswer, about: Resource): void {
    const refusal = refusalOf(this.login, what, answer, about);
    if (refusal !== undefined) this.#options.log(refusal);
  }

  async #coordinator(kind: CoordinatorKind, key: string): Promise<{ readonly broker: number } | { readonly refused: KafkaAnswer }> {
    const known = this.#coordinators.of(`${kind} ${key}`);
    if (known !== undefined) return { broker: known };
    const told = await this.#tryAny(await codecs.findCoordinator(kind, key));
    if (told instanceof NoAnswer) return { refused: 'NO_ANSWER' };
    const { from, response: found } = told;
    const answer = answerOf(found.errorCode);
    if (answer !== 'NONE') {
      this.logRefusal(`FindCoordinator of ${kind} ${key}`, answer, { kind: kind === 'group' ? 'group' : 'transactional id', name: key });
      if (!isPassing(answer)) return { refused: answer };
      this.#informants.passOver(from);
      return { refused: 'COORDINATOR_NOT_AVAILABLE' };
    }
    const { nodeId, host, port } = found.coordinator;
    this.#addresses.set(nodeId, { host, port });
    this.#coordinators.learn(`${kind} ${key}`, from, nodeId);
    return { broker: nodeId };
  }

  // ---- Brokers

  #knownLink(broker: number, lane: Lane): BrokerLink | undefined {
    const address = this.#addresses.get(broker);
    return address === undefined ? undefined : this.#link(address, lane);
  }

  async #findLink(broker: number, lane: Lane): Promise<BrokerLink | undefined> {
    this.#learningBrokers ??= this.#metadata([], `address of broker ${broker}`).finally(() => {
      this.#learningBrokers = undefined;
    });
    try {
      await this.#learningBrokers;
    } catch (error) {
      if (!(error instanceof KafkaProblem && error.retriable)) throw error;
    }
    return this.#knownLink(broker, lane);
  }

  /** A broker that does not answer is asked again for nothing that another may have taken over. */
  #heard<T>(broker: number, response: T | NoAnswer): T | NoAnswer {
    if (!(response instanceof NoAnswer)) return response;
    const address = this.#addresses.get(broker);
    if (address !== undefined) this.#informants.markSilent(this.#link(address, 'control'));
    this.#leaders.forgetBroker(broker);
    this.#coordinators.forgetBroker(broker);
    return response;
  }

  /** Of the known brokers, and of those that we were given. */
  #tryAny<T>(request: WireRequest<T>): Promise<Told<BrokerLink, T> | NoAnswer> {
    const links = new Set([...this.#addresses.values(), ...this.#options.seeds].map((address) => this.#link(address, 'control')));
    return this.#informants.ask(links, async () => request);
  }

  #link(address: BrokerAddress, lane: Lane): BrokerLink {
    const name = `${brokerText(address)} ${lane}`;
    const link = this.#links.get(name) ?? new BrokerLink(address, this.#options.link);
    if (this.#closed) link.close();
    this.#links.set(name, link);
    return link;
  }
}

function noSuchBroker(broker: number): NoAnswer {
  return new NoAnswer(`the cluster has no broker ${broker} at the moment`);
}
