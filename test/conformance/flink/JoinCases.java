import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.apache.flink.api.common.functions.JoinFunction;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ReadOnlyBroadcastState;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ArrayNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.co.KeyedBroadcastProcessFunction;
import org.apache.flink.streaming.api.functions.co.ProcessJoinFunction;
import org.apache.flink.streaming.api.operators.SimpleOperatorFactory;
import org.apache.flink.streaming.api.operators.TwoInputStreamOperator;
import org.apache.flink.streaming.api.operators.co.CoBroadcastWithKeyedOperator;
import org.apache.flink.streaming.api.transformations.OneInputTransformation;
import org.apache.flink.streaming.api.transformations.TwoInputTransformation;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.api.windowing.assigners.WindowAssigner;
import org.apache.flink.streaming.api.windowing.triggers.Trigger;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedTwoInputStreamOperatorTestHarness;
import org.apache.flink.util.Collector;
import org.apache.flink.util.OutputTag;
import org.apache.flink.util.TaggedUnion;

/** Joins of Flink's DataStream, made as a job makes them and taken out of it; and what TableCases has: ../joins/case.ts. */
final class JoinCases {
  static final TypeInformation<JoinRow> ROWS = TypeInformation.of(JoinRow.class);
  private static final OutputTag<JoinRow> LATE = new OutputTag<>("late", ROWS);
  private static final KeySelector<JoinRow, String> BY_KEY = row -> row.k;

  private JoinCases() {}

  /** Is it one of these? */
  static boolean has(String kind) {
    return List.of("interval", "window", "asOf", "table", "deduplicate", "top", "broadcast").contains(kind);
  }

  static ArrayNode run(JsonNode operator, JsonNode steps) throws Exception {
    switch (operator.get("kind").asText()) {
      case "interval":
        return operator.get("type").asText().equals("left") ? TableCases.interval(operator, steps) : interval(operator, steps);
      case "window":
        return window(operator, steps);
      case "asOf":
        return TableCases.asOf(operator, steps);
      case "table":
        return TableCases.table(operator, steps);
      case "deduplicate":
        return TableCases.deduplicate(operator, steps);
      case "top":
        return TableCases.top(operator, steps);
      default:
        return broadcast(steps);
    }
  }

  /** A harness, and how it takes rows and gives what came of them. */
  interface Sides {
    void left(JsonNode row) throws Exception;

    void right(JsonNode row) throws Exception;

    void watermark(long timeMs) throws Exception;

    /** What came since it was asked last. */
    List<ObjectNode> taken() throws Exception;
  }

  static ArrayNode outputs(AbstractStreamOperatorTestHarness<?> harness, JsonNode steps, Sides sides) throws Exception {
    ArrayNode outputs = FlinkCases.JSON.createArrayNode();
    for (JsonNode step : steps) {
      if (step.has("left")) sides.left(step.get("left"));
      else if (step.has("right")) sides.right(step.get("right"));
      else if (step.has("watermark")) sides.watermark(step.get("watermark").asLong());
      else {
        long timeMs = step.get("processingTime").asLong();
        harness.setProcessingTime(timeMs);
        harness.setStateTtlProcessingTime(timeMs);
      }
      ArrayNode taken = outputs.addArray();
      for (ObjectNode one : sides.taken()) taken.add(one);
    }
    return outputs;
  }

  static ObjectNode output(String text, StreamRecord<?> record) {
    ObjectNode one = FlinkCases.JSON.createObjectNode().put("text", text);
    if (record.hasTimestamp()) one.put("timestamp", record.getTimestamp());
    return one;
  }

  @SuppressWarnings("unchecked")
  private static ArrayNode interval(JsonNode operator, JsonNode steps) throws Exception {
    var env = StreamExecutionEnvironment.getExecutionEnvironment();
    Duration lower = Duration.ofMillis(operator.get("lowerBoundMs").asLong());
    Duration upper = Duration.ofMillis(operator.get("upperBoundMs").asLong());
    var joined = stream(env)
        .keyBy(BY_KEY, Types.STRING)
        .intervalJoin(stream(env).keyBy(BY_KEY, Types.STRING))
        .between(lower, upper)
        .sideOutputLeftLateData(LATE)
        .sideOutputRightLateData(LATE)
        .process(new Pairs(), Types.STRING);
    var made = (TwoInputTransformation<JoinRow, JoinRow, String>) joined.getTransformation();
    var operatorOf = (SimpleOperatorFactory<String>) made.getOperatorFactory();
    try (var harness = twoInputs((TwoInputStreamOperator<JoinRow, JoinRow, String>) operatorOf.getOperator(), BY_KEY)) {
      return outputs(harness, steps, new TwoInputs(harness));
    }
  }

  private static DataStream<JoinRow> stream(StreamExecutionEnvironment env) {
    return env.fromData(ROWS, new JoinRow());
  }

  /** @param rightKey null: it is broadcast */
  private static KeyedTwoInputStreamOperatorTestHarness<String, JoinRow, JoinRow, String> twoInputs(
      TwoInputStreamOperator<JoinRow, JoinRow, String> operator, KeySelector<JoinRow, String> rightKey) throws Exception {
    var harness = new KeyedTwoInputStreamOperatorTestHarness<>(operator, BY_KEY, rightKey, Types.STRING);
    harness.setup(Types.STRING.createSerializer(harness.getExecutionConfig().getSerializerConfig()));
    harness.open();
    return harness;
  }

  @SuppressWarnings("unchecked")
  private static ArrayNode window(JsonNode operator, JsonNode steps) throws Exception {
    var env = StreamExecutionEnvironment.getExecutionEnvironment();
    WindowAssigner<Object, TimeWindow> assigner = WindowCases.assigner(operator.get("shape"), true);
    boolean once = operator.get("trigger").asText().equals("once");
    Trigger<Object, TimeWindow> trigger = once ? new WindowCases.OnceAWatermark() : assigner.getDefaultTrigger();
    Duration lateness = Duration.ofMillis(operator.get("allowedLatenessMs").asLong());
    SingleOutputStreamOperator<String> made = operator.get("make").asText().equals("join")
        ? stream(env).join(stream(env)).where(BY_KEY, Types.STRING).equalTo(BY_KEY, Types.STRING).window(assigner)
            .trigger(trigger).allowedLateness(lateness).apply((JoinFunction<JoinRow, JoinRow, String>) JoinCases::pair, Types.STRING)
        : stream(env).coGroup(stream(env)).where(BY_KEY, Types.STRING).equalTo(BY_KEY, Types.STRING).window(assigner)
            .trigger(trigger).allowedLateness(lateness).apply(JoinCases::group, Types.STRING);
    // A map behind it gives what Flink's coGroup makes to its own type.
    var transformation = made.getTransformation();
    while (!(transformation.getInputs().get(0).getOutputType().getTypeClass().equals(TaggedUnion.class)))
      transformation = (org.apache.flink.api.dag.Transformation<String>) (Object) transformation.getInputs().get(0);
    var window = (OneInputTransformation<TaggedUnion<JoinRow, JoinRow>, String>) (Object) transformation;
    var keys = (KeySelector<TaggedUnion<JoinRow, JoinRow>, String>) window.getStateKeySelector();
    try (var harness = new KeyedOneInputStreamOperatorTestHarness<>(window.getOperatorFactory(), keys, Types.STRING)) {
      harness.setup(Types.STRING.createSerializer(harness.getExecutionConfig().getSerializerConfig()));
      harness.open();
      return outputs(harness, steps, new Sides() {
        @Override
        public void left(JsonNode row) throws Exception {
          harness.processElement(TaggedUnion.one(new JoinRow(row)), row.get("t").asLong());
        }

        @Override
        public void right(JsonNode row) throws Exception {
          harness.processElement(TaggedUnion.two(new JoinRow(row)), row.get("t").asLong());
        }

        @Override
        public void watermark(long timeMs) throws Exception {
          harness.processWatermark(timeMs);
        }

        @Override
        public List<ObjectNode> taken() {
          return texts(harness);
        }
      });
    }
  }

  private static ArrayNode broadcast(JsonNode steps) throws Exception {
    var known = new MapStateDescriptor<>("known", Types.STRING, Types.STRING);
    var operator = new CoBroadcastWithKeyedOperator<>(new Seen(known), List.of(known));
    try (var harness = twoInputs(operator, null)) {
      return outputs(harness, steps, new TwoInputs(harness));
    }
  }

  static String pair(JoinRow left, JoinRow right) {
    return left.k + " " + left.name + " " + right.name;
  }

  private static void group(Iterable<JoinRow> lefts, Iterable<JoinRow> rights, Collector<String> out) {
    List<String> left = new ArrayList<>();
    List<String> right = new ArrayList<>();
    String key = "";
    for (JoinRow row : lefts) {
      left.add(row.name);
      key = row.k;
    }
    for (JoinRow row : rights) {
      right.add(row.name);
      key = row.k;
    }
    out.collect(key + " [" + String.join(",", left) + "] [" + String.join(",", right) + "]");
  }

  private static List<ObjectNode> texts(AbstractStreamOperatorTestHarness<String> harness) {
    List<ObjectNode> texts = new ArrayList<>();
    for (Object output : harness.getOutput())
      if (output instanceof StreamRecord) texts.add(output((String) ((StreamRecord<?>) output).getValue(), (StreamRecord<?>) output));
    harness.getOutput().clear();
    return texts;
  }

  private static final class TwoInputs implements Sides {
    private final KeyedTwoInputStreamOperatorTestHarness<String, JoinRow, JoinRow, String> harness;

    TwoInputs(KeyedTwoInputStreamOperatorTestHarness<String, JoinRow, JoinRow, String> harness) {
      this.harness = harness;
    }

    @Override
    public void left(JsonNode row) throws Exception {
      harness.processElement1(new JoinRow(row), row.get("t").asLong());
    }

    @Override
    public void right(JsonNode row) throws Exception {
      harness.processElement2(new JoinRow(row), row.get("t").asLong());
    }

    @Override
    public void watermark(long timeMs) throws Exception {
      harness.processBothWatermarks(new Watermark(timeMs));
    }

    @Override
    public List<ObjectNode> taken() {
      List<ObjectNode> taken = texts(harness);
      var late = harness.getSideOutput(LATE);
      if (late != null) {
        for (StreamRecord<JoinRow> record : late) taken.add(output(record.getValue().k + " late " + record.getValue().name, record));
        late.clear();
      }
      return taken;
    }
  }

  private static final class Pairs extends ProcessJoinFunction<JoinRow, JoinRow, String> {
    @Override
    public void processElement(JoinRow left, JoinRow right, Context context, Collector<String> out) {
      out.collect(pair(left, right));
    }
  }

  private static final class Seen extends KeyedBroadcastProcessFunction<String, JoinRow, JoinRow, String> {
    private final MapStateDescriptor<String, String> known;

    Seen(MapStateDescriptor<String, String> known) {
      this.known = known;
    }

    @Override
    public void processElement(JoinRow row, ReadOnlyContext context, Collector<String> out) throws Exception {
      ReadOnlyBroadcastState<String, String> state = context.getBroadcastState(known);
      var all = new TreeMap<String, String>();
      for (var entry : state.immutableEntries()) all.put(entry.getKey(), entry.getValue());
      StringBuilder text = new StringBuilder(row.k + " " + row.name);
      all.forEach((key, newest) -> text.append(' ').append(key).append('=').append(newest));
      out.collect(text.toString());
    }

    @Override
    public void processBroadcastElement(JoinRow row, Context context, Collector<String> out) throws Exception {
      if (row.gone) context.getBroadcastState(known).remove(row.k);
      else context.getBroadcastState(known).put(row.k, row.name);
    }
  }
}
