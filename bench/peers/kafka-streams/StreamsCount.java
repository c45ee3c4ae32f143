import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.errors.StreamsUncaughtExceptionHandler.StreamThreadExceptionResponse;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * The exactly-once running word count on Kafka Streams. Settings come from the environment, see bench/README.md: BOOT IN OUT
 * APP INTERVAL_MS, STATE (folder), THREADS, PARTITIONS, STORE=memory|rocksdb, and STREAMS_CONFIG: more settings as
 * "name=value;name=value". It needs no RESTORE: it goes on from its changelog.
 */
public final class StreamsCount {
  private StreamsCount() {}

  private static final byte[] NOTHING = new byte[0];

  public static void main(String[] args) throws InterruptedException {
    StreamsBuilder builder = new StreamsBuilder();
    boolean inMemory = setting("STORE", "memory").equals("memory");
    builder.addStateStore(
        Stores.keyValueStoreBuilder(
                inMemory ? Stores.inMemoryKeyValueStore("counts") : Stores.persistentKeyValueStore("counts"),
                Serdes.String(),
                Serdes.Long())
            // Every count is a result: a cache would leave some out.
            .withCachingDisabled()
            .withLoggingEnabled(Map.of()));
    builder.stream(setting("IN", "flink_kafka"), Consumed.with(Serdes.ByteArray(), Serdes.String()))
        .process(Words::new)
        .repartition(
            Repartitioned.with(Serdes.String(), Serdes.ByteArray())
                .withName("words")
                .withNumberOfPartitions(Integer.parseInt(setting("PARTITIONS", "3"))))
        .process(Count::new, "counts")
        .to(setting("OUT", "flink_kafka2"), Produced.with(Serdes.ByteArray(), Serdes.String()));

    Properties config = config();
    KafkaStreams streams = new KafkaStreams(builder.build(config), config);
    streams.setUncaughtExceptionHandler(
        error -> {
          error.printStackTrace();
          return StreamThreadExceptionResponse.REPLACE_THREAD;
        });
    CountDownLatch end = new CountDownLatch(1);
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  streams.close(Duration.ofSeconds(10));
                  end.countDown();
                }));
    streams.start();
    end.await();
  }

  private static Properties config() {
    Properties config = new Properties();
    config.put(StreamsConfig.APPLICATION_ID_CONFIG, setting("APP", "word-count"));
    config.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, setting("BOOT", "127.0.0.1:9092"));
    config.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, StreamsConfig.EXACTLY_ONCE_V2);
    config.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, setting("INTERVAL_MS", "1000"));
    config.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, setting("THREADS", "2"));
    config.put(StreamsConfig.REPLICATION_FACTOR_CONFIG, "1");
    config.put(StreamsConfig.STATE_DIR_CONFIG, setting("STATE", System.getProperty("java.io.tmpdir") + "/onceflow-bench-streams"));
    config.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
    config.put(StreamsConfig.consumerPrefix("max.poll.records"), "5000");
    if (setting("STORE", "memory").equals("rocksdb")) {
      // A process that was killed is let in again at once: its identity is on disk, beside its state.
      config.put(StreamsConfig.mainConsumerPrefix("group.instance.id"), setting("APP", "word-count"));
    } else {
      // The next one waits until the group gives up the one that was killed: for 45 s by default.
      config.put(StreamsConfig.mainConsumerPrefix("session.timeout.ms"), "6000");
      config.put(StreamsConfig.mainConsumerPrefix("heartbeat.interval.ms"), "2000");
    }
    config.put(StreamsConfig.producerPrefix("batch.size"), "131072");
    for (String text : setting("STREAMS_CONFIG", "").split(";")) {
      String[] pair = text.split("=", 2);
      if (pair.length == 2) config.put(pair[0], pair[1]);
    }
    return config;
  }

  private static String setting(String name, String otherwise) {
    String value = System.getenv(name);
    return value == null || value.isEmpty() ? otherwise : value;
  }

  static final class Words implements Processor<byte[], String, String, byte[]> {
    private ProcessorContext<String, byte[]> context;

    @Override
    public void init(ProcessorContext<String, byte[]> given) {
      context = given;
    }

    @Override
    public void process(Record<byte[], String> line) {
      for (String word : line.value().split(" ")) context.forward(new Record<>(word, NOTHING, line.timestamp()));
    }
  }

  static final class Count implements Processor<String, byte[], byte[], String> {
    private ProcessorContext<byte[], String> context;
    private KeyValueStore<String, Long> counts;

    @Override
    public void init(ProcessorContext<byte[], String> given) {
      context = given;
      counts = given.getStateStore("counts");
    }

    @Override
    public void process(Record<String, byte[]> word) {
      Long before = counts.get(word.key());
      long now = before == null ? 1 : before + 1;
      counts.put(word.key(), now);
      context.forward(new Record<>(null, word.key() + ":::" + now, word.timestamp()));
    }
  }
}
