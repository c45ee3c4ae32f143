import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.Properties;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.TestOutputTopic;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.JoinWindows;
import org.apache.kafka.streams.kstream.Joined;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.KTable;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.StreamJoined;
import org.apache.kafka.streams.kstream.ValueJoiner;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;
import org.apache.kafka.streams.test.TestRecord;

/**
 * Runs cases of joins through Kafka Streams in its test driver. Reads a case a line from stdin, and answers with a line on stdout:
 * {"outputs": for each step a list of what it gave}, or {"error": a stack trace}. What they are made of: ../joins/case.ts.
 */
public final class StreamsCases {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Serde<String> TEXT = Serdes.String();
  /** Kafka Streams takes no time before 1970. */
  private static final long SHIFT_MS = 1_000_000;
  /** Behind all times of a case, and no case has this key: what waits for stream time is over. */
  private static final long CLOSE_MS = 1_000_000_000;
  private static final String CLOSE_KEY = "~";
  /** Nothing is late: rows that would be are not asked for. */
  private static final Duration GRACE = Duration.ofMillis(10_000_000);
  private static final ValueJoiner<String, String, String> PAIR =
      (left, right) -> (left == null ? "-" : left) + " " + (right == null ? "-" : right);

  private StreamsCases() {}

  public static void main(String[] args) throws Exception {
    PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    // Whatever a library prints is no answer.
    System.setOut(System.err);
    Path folder = Files.createTempDirectory("onceflow-streams-");
    BufferedReader cases = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = cases.readLine(); line != null; line = cases.readLine())
      answers.println(JSON.writeValueAsString(answer(line, folder)));
    try (var files = Files.walk(folder)) {
      files.sorted(Comparator.reverseOrder()).forEach(file -> file.toFile().delete());
    }
  }

  private static ObjectNode answer(String line, Path folder) {
    ObjectNode answer = JSON.createObjectNode();
    try {
      JsonNode given = JSON.readTree(line);
      answer.set("outputs", run(given.get("operator"), given.get("steps"), folder));
    } catch (Throwable error) {
      StringWriter trace = new StringWriter();
      error.printStackTrace(new PrintWriter(trace));
      answer.put("error", trace.toString());
    }
    return answer;
  }

  private static ArrayNode run(JsonNode operator, JsonNode steps, Path folder) {
    StreamsBuilder builder = new StreamsBuilder();
    join(operator, builder).to("out");
    Properties settings = new Properties();
    settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "cases");
    settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "nowhere:1");
    settings.put(StreamsConfig.STATE_DIR_CONFIG, folder.toString());
    settings.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, TEXT.getClass());
    settings.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, TEXT.getClass());
    // What is alone is given as soon as its time is over, and not once a second by the clock.
    settings.put("__emit.interval.ms.kstreams.outer.join.spurious.results.fix__", 0L);
    ArrayNode outputs = JSON.createArrayNode();
    try (TopologyTestDriver driver = new TopologyTestDriver(builder.build(), settings)) {
      var left = driver.createInputTopic("left", TEXT.serializer(), TEXT.serializer());
      var right = driver.createInputTopic("right", TEXT.serializer(), TEXT.serializer());
      var out = driver.createOutputTopic("out", TEXT.deserializer(), TEXT.deserializer());
      for (JsonNode step : steps) {
        if (step.has("left")) pipe(left, step.get("left"), operator.get("kind").asText().equals("tables"));
        else if (step.has("right")) pipe(right, step.get("right"), !operator.get("kind").asText().equals("interval"));
        else {
          left.pipeInput(CLOSE_KEY, "close", CLOSE_MS);
          right.pipeInput(CLOSE_KEY, "close", CLOSE_MS);
        }
        outputs.add(taken(out));
      }
    }
    return outputs;
  }

  private static void pipe(TestInputTopic<String, String> topic, JsonNode row, boolean isOfTable) {
    boolean goes = isOfTable && row.get("gone").asBoolean();
    topic.pipeInput(row.get("k").asText(), goes ? null : row.get("name").asText(), row.get("t").asLong() + SHIFT_MS);
  }

  private static ArrayNode taken(TestOutputTopic<String, String> out) {
    ArrayNode taken = JSON.createArrayNode();
    for (TestRecord<String, String> record : out.readRecordsToList()) {
      if (record.key().equals(CLOSE_KEY)) continue;
      String text = record.key() + " " + (record.value() == null ? "gone" : record.value());
      taken.addObject().put("text", text).put("timestamp", record.timestamp() - SHIFT_MS);
    }
    return taken;
  }

  private static KStream<String, String> join(JsonNode operator, StreamsBuilder builder) {
    String type = operator.get("type").asText();
    switch (operator.get("kind").asText()) {
      case "interval":
        return interval(operator, builder.stream("left"), builder.stream("right"));
      case "asOf": {
        KTable<String, String> versions = builder.table("right", Consumed.with(TEXT, TEXT),
            Materialized.<String, String>as(Stores.persistentVersionedKeyValueStore("versions", GRACE.multipliedBy(2))));
        Joined<String, String, String> waiting = Joined.with(TEXT, TEXT, TEXT, "wait", GRACE);
        KStream<String, String> rows = builder.stream("left");
        return type.equals("left") ? rows.leftJoin(versions, PAIR, waiting) : rows.join(versions, PAIR, waiting);
      }
      case "table": {
        KTable<String, String> table = builder.table("right", kept("table"));
        KStream<String, String> rows = builder.stream("left");
        return type.equals("left") ? rows.leftJoin(table, PAIR) : rows.join(table, PAIR);
      }
      case "tables": {
        KTable<String, String> left = builder.table("left", kept("left-table"));
        KTable<String, String> right = builder.table("right", kept("right-table"));
        if (type.equals("full")) return left.outerJoin(right, PAIR).toStream();
        return (type.equals("left") ? left.leftJoin(right, PAIR) : left.join(right, PAIR)).toStream();
      }
      default:
        throw new IllegalArgumentException("Kafka Streams has no such join: " + operator);
    }
  }

  private static KStream<String, String> interval(JsonNode operator, KStream<String, String> left, KStream<String, String> right) {
    long lower = operator.get("lowerBoundMs").asLong();
    long upper = operator.get("upperBoundMs").asLong();
    // One that is far enough to be made, then as it should be: both ends may lie on one side.
    JoinWindows windows = JoinWindows.ofTimeDifferenceAndGrace(Duration.ofMillis(Math.max(Math.abs(lower), Math.abs(upper))), GRACE)
        .before(Duration.ofMillis(-lower))
        .after(Duration.ofMillis(upper));
    Duration kept = Duration.ofMillis(windows.size() + windows.gracePeriodMs());
    Duration size = Duration.ofMillis(windows.size());
    StreamJoined<String, String, String> stores = StreamJoined.with(TEXT, TEXT, TEXT)
        .withThisStoreSupplier(Stores.inMemoryWindowStore("lefts", kept, size, true))
        .withOtherStoreSupplier(Stores.inMemoryWindowStore("rights", kept, size, true));
    return operator.get("type").asText().equals("left")
        ? left.leftJoin(right, PAIR, windows, stores)
        : left.join(right, PAIR, windows, stores);
  }

  private static Materialized<String, String, KeyValueStore<Bytes, byte[]>> kept(String name) {
    return Materialized.<String, String>as(Stores.inMemoryKeyValueStore(name)).withKeySerde(TEXT).withValueSerde(TEXT);
  }
}
