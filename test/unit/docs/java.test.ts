import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { INSTALLED } from '../../../local/stack/installed.ts';

/** What stands around the blocks of a page, so that they are programs: in the order of its blocks. `«block»`: the block. */
interface Page {
  readonly libraries: 'flink' | 'kafka-streams';
  readonly imports: readonly string[];
  readonly around: readonly string[];
}

const PAGES: Readonly<Record<string, Page>> = {
  'docs/from-flink.md': {
    libraries: 'flink',
    imports: [
      'java.time.Duration',
      'java.util.concurrent.TimeUnit',
      'org.apache.flink.api.common.eventtime.*',
      'org.apache.flink.api.common.functions.*',
      'org.apache.flink.api.common.serialization.*',
      'org.apache.flink.api.common.state.*',
      'org.apache.flink.api.common.typeinfo.*',
      'org.apache.flink.connector.base.DeliveryGuarantee',
      'org.apache.flink.connector.kafka.sink.*',
      'org.apache.flink.connector.kafka.source.*',
      'org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer',
      'org.apache.flink.streaming.api.datastream.*',
      'org.apache.flink.streaming.api.environment.*',
      'org.apache.flink.streaming.api.functions.*',
      'org.apache.flink.streaming.api.functions.async.*',
      'org.apache.flink.streaming.api.functions.co.*',
      'org.apache.flink.streaming.api.functions.windowing.*',
      'org.apache.flink.streaming.api.windowing.assigners.*',
      'org.apache.flink.streaming.api.windowing.windows.*',
      'org.apache.flink.util.*',
    ],
    around: [
      '«block»',
      `class Block {
  static class Order { String shop; long placedMs; }
  static class Sum implements AggregateFunction<Order, Long, Long> {
    public Long createAccumulator() { return 0L; }
    public Long add(Order order, Long sum) { return sum; }
    public Long getResult(Long sum) { return sum; }
    public Long merge(Long one, Long other) { return one; }
  }
  static class Line extends ProcessWindowFunction<Long, String, String, TimeWindow> {
    public void process(String key, Context context, Iterable<Long> sums, Collector<String> out) {}
  }
  void run(StreamExecutionEnvironment env, KafkaSource<Order> orders, KafkaSink<Order> lateOrders) { «block» }
}`,
      `class Block {
  static class Event {}
  void run(RuntimeContext context) { «block» }
}`,
      `class Block {
  static class Order { String id; }
  static class Payment { String order; }
  static class Visit {}
  static class Pay extends KeyedCoProcessFunction<String, Order, Payment, String> {
    public void processElement1(Order order, Context context, Collector<String> out) {}
    public void processElement2(Payment payment, Context context, Collector<String> out) {}
  }
  static class Paid extends ProcessJoinFunction<Order, Payment, String> {
    public void processElement(Order order, Payment payment, Context context, Collector<String> out) {}
  }
  static class Locate extends RichAsyncFunction<Visit, String> {
    public void asyncInvoke(Visit visit, ResultFuture<String> result) {}
  }
  void run(DataStream<Order> orders, DataStream<Payment> payments, DataStream<Visit> visits, SingleOutputStreamOperator<String> process) { «block» }
}`,
    ],
  },
  'docs/from-kafka-streams.md': {
    libraries: 'kafka-streams',
    imports: ['java.util.*', 'org.apache.kafka.common.serialization.*', 'org.apache.kafka.streams.*', 'org.apache.kafka.streams.kstream.*'],
    around: ['class Block { void run() { «block» } }'],
  },
};

const BLOCK = '«block»';

const hasJavac = spawnSync('javac', ['-version']).status === 0;
const missing = ['flink', 'kafka-streams'].find((peer) => !existsSync(join(INSTALLED.benchJars, peer)));
const why = !hasJavac
  ? 'no javac is there'
  : missing !== undefined
    ? `the libraries of ${missing} are not installed (node local/bootstrap.mjs --with bench-jars)`
    : undefined;

describe.skipIf(why !== undefined)(why === undefined ? 'the Java of the documentation' : `the Java of the documentation (${why})`, () => {
  it.each(Object.entries(PAGES))('compiles: %s', { timeout: 120_000 }, (page, { libraries, imports, around }) => {
    const blocks = [...readFileSync(page, 'utf8').matchAll(/^```java\n(?<code>[\s\S]*?)^```/gm)].map(
      ({ groups }) => groups?.['code'] ?? '',
    );
    expect(blocks).toHaveLength(around.length);
    const folder = mkdtempSync(join(tmpdir(), 'onceflow-java-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const files = blocks.map((code, at) => {
      const file = join(folder, `block${at}.java`);
      const text = (around[at] ?? '').replace(BLOCK, () => code);
      writeFileSync(
        file,
        `package block${at};\n${imports.map((name) => `import ${name};`).join('\n')}\n${text.replace(/^public class/m, 'class')}\n`,
      );
      return file;
    });
    const path = join(INSTALLED.benchJars, libraries, '*');
    const { status, stderr } = spawnSync('javac', ['-proc:none', '-encoding', 'UTF-8', '-cp', path, '-d', folder, ...files], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });
});

it('no other page has Java', () => {
  const pages = globSync('docs/**/*.md').filter((page) => readFileSync(page, 'utf8').includes('```java\n'));
  expect(pages.toSorted()).toEqual(Object.keys(PAGES).toSorted());
});
