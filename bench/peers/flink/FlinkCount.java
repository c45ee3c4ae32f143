import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Optional;
import java.util.Properties;
import java.util.stream.Stream;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.FlatMapFunction;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.serialization.SimpleStringSchema;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.connector.kafka.sink.TransactionNamingStrategy;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.util.Collector;

/**
 * The exactly-once running count on Flink's local mini cluster. Settings come from the environment, see bench/README.md:
 * BOOT IN OUT APP INTERVAL_MS, RESTORE=auto (go on from the newest checkpoint, if any), CHECKPOINTS (folder), PAR, SHAPE,
 * and FLINK_CONFIG and FLINK_PRODUCER: more settings as "name=value;name=value".
 */
public final class FlinkCount {
  private FlinkCount() {}

  public static void main(String[] args) throws Exception {
    String app = setting("APP", "word-count");
    Path checkpoints = Path.of(setting("CHECKPOINTS", System.getProperty("java.io.tmpdir") + "/onceflow-bench-flink")).resolve(app);
    boolean words = setting("SHAPE", "words").equals("words");

    StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(configuration(checkpoints));
    env.setParallelism(Integer.parseInt(setting("PAR", "2")));
    env.fromSource(source(app), WatermarkStrategy.noWatermarks(), "read-lines")
        .flatMap(words ? new Words() : new Lines())
        .returns(Types.STRING)
        .keyBy(words ? new WholeRecord() : new FirstWord(), Types.STRING)
        .process(setting("SHAPE", "words").equals("large-values") ? new CountAndKeep() : new Count())
        .sinkTo(sink(app));
    env.execute("count");
  }

  private static Configuration configuration(Path checkpoints) throws IOException {
    long intervalMs = Long.parseLong(setting("INTERVAL_MS", "1000"));
    Configuration config = new Configuration();
    config.setString("execution.checkpointing.interval", intervalMs + " ms");
    config.setString("execution.checkpointing.mode", "EXACTLY_ONCE");
    config.setString("execution.checkpointing.storage", "filesystem");
    config.setString("execution.checkpointing.dir", checkpoints.toUri().toString());
    config.setString("execution.checkpointing.externalized-checkpoint-retention", "RETAIN_ON_CANCELLATION");
    config.setString("state.backend.type", "hashmap");
    config.setString("pipeline.object-reuse", "true");
    // Records wait in network buffers for up to 100 ms by default, which is longer than a short interval.
    config.setString("execution.buffer-timeout.interval", Math.min(100, Math.max(1, intervalMs / 10)) + " ms");
    config.setString("restart-strategy.type", "fixed-delay");
    config.setString("restart-strategy.fixed-delay.attempts", "10");
    config.setString("restart-strategy.fixed-delay.delay", "1 s");
    if (setting("RESTORE", "").equals("auto")) {
      newestCheckpoint(checkpoints)
          .ifPresent(path -> config.setString("execution.state-recovery.path", path.toUri().toString()));
    }
    for (String[] pair : pairs("FLINK_CONFIG")) config.setString(pair[0], pair[1]);
    return config;
  }

  /** Checkpoints lie in {@code <folder>/<job id>/chk-<number>}; one is complete when it has its metadata. */
  private static Optional<Path> newestCheckpoint(Path folder) throws IOException {
    if (!Files.exists(folder)) return Optional.empty();
    try (Stream<Path> files = Files.walk(folder, 3)) {
      return files
          .filter(file -> file.getFileName().toString().equals("_metadata"))
          .max(Comparator.comparingLong(file -> file.toFile().lastModified()))
          .map(Path::getParent);
    }
  }

  private static KafkaSource<String> source(String app) {
    return KafkaSource.<String>builder()
        .setBootstrapServers(setting("BOOT", "127.0.0.1:9092"))
        .setTopics(setting("IN", "flink_kafka"))
        .setGroupId(app)
        .setStartingOffsets(OffsetsInitializer.earliest())
        .setValueOnlyDeserializer(new SimpleStringSchema())
        .build();
  }

  private static KafkaSink<String> sink(String app) {
    Properties producer = new Properties();
    producer.setProperty("transaction.timeout.ms", "600000");
    producer.setProperty("batch.size", "131072");
    producer.setProperty("linger.ms", "20");
    for (String[] pair : pairs("FLINK_PRODUCER")) producer.setProperty(pair[0], pair[1]);
    return KafkaSink.<String>builder()
        .setBootstrapServers(setting("BOOT", "127.0.0.1:9092"))
        .setKafkaProducerConfig(producer)
        .setDeliveryGuarantee(DeliveryGuarantee.EXACTLY_ONCE)
        .setTransactionalIdPrefix(app)
        .setTransactionNamingStrategy(TransactionNamingStrategy.valueOf(setting("FLINK_NAMING", "INCREMENTING")))
        // The record's timestamp is the one that it came with from the source.
        .setRecordSerializer(
            KafkaRecordSerializationSchema.<String>builder()
                .setTopic(setting("OUT", "flink_kafka2"))
                .setValueSerializationSchema(new SimpleStringSchema())
                .build())
        .build();
  }

  private static String setting(String name, String otherwise) {
    String value = System.getenv(name);
    return value == null || value.isEmpty() ? otherwise : value;
  }

  private static String[][] pairs(String name) {
    return Stream.of(setting(name, "").split(";"))
        .filter(text -> text.contains("="))
        .map(text -> text.split("=", 2))
        .toArray(String[][]::new);
  }

  static final class Words implements FlatMapFunction<String, String> {
    @Override
    public void flatMap(String line, Collector<String> out) {
      int start = 0;
      for (int end; (end = line.indexOf(' ', start)) >= 0; start = end + 1) out.collect(line.substring(start, end));
      out.collect(line.substring(start));
    }
  }

  static final class Lines implements FlatMapFunction<String, String> {
    @Override
    public void flatMap(String line, Collector<String> out) {
      out.collect(line);
    }
  }

  static final class WholeRecord implements KeySelector<String, String> {
    @Override
    public String getKey(String record) {
      return record;
    }
  }

  static final class FirstWord implements KeySelector<String, String> {
    @Override
    public String getKey(String record) {
      int end = record.indexOf(' ');
      return end < 0 ? record : record.substring(0, end);
    }
  }

  static class Count extends KeyedProcessFunction<String, String, String> {
    private transient ValueState<Long> count;

    @Override
    public void open(OpenContext context) {
      count = getRuntimeContext().getState(new ValueStateDescriptor<>("count", Types.LONG));
    }

    @Override
    public void processElement(String record, Context context, Collector<String> out) throws Exception {
      Long before = count.value();
      long now = before == null ? 1 : before + 1;
      count.update(now);
      out.collect(record + ":::" + now);
    }
  }

  /** Also keeps the latest record of each key. */
  static final class CountAndKeep extends Count {
    private transient ValueState<String> latest;

    @Override
    public void open(OpenContext context) {
      super.open(context);
      latest = getRuntimeContext().getState(new ValueStateDescriptor<>("latest", Types.STRING));
    }

    @Override
    public void processElement(String record, Context context, Collector<String> out) throws Exception {
      latest.update(record);
      super.processElement(record, context, out);
    }
  }
}
