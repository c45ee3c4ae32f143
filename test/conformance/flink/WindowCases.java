import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.ExecutionConfig;
import org.apache.flink.api.common.functions.AggregateFunction;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ArrayNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.streaming.api.functions.windowing.ProcessWindowFunction;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.windowing.assigners.EventTimeSessionWindows;
import org.apache.flink.streaming.api.windowing.assigners.GlobalWindows;
import org.apache.flink.streaming.api.windowing.assigners.ProcessingTimeSessionWindows;
import org.apache.flink.streaming.api.windowing.assigners.SlidingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.assigners.SlidingProcessingTimeWindows;
import org.apache.flink.streaming.api.windowing.assigners.TumblingEventTimeWindows;
import org.apache.flink.streaming.api.windowing.assigners.TumblingProcessingTimeWindows;
import org.apache.flink.streaming.api.windowing.assigners.WindowAssigner;
import org.apache.flink.streaming.api.windowing.triggers.CountTrigger;
import org.apache.flink.streaming.api.windowing.triggers.PurgingTrigger;
import org.apache.flink.streaming.api.windowing.triggers.Trigger;
import org.apache.flink.streaming.api.windowing.triggers.TriggerResult;
import org.apache.flink.streaming.api.windowing.windows.TimeWindow;
import org.apache.flink.streaming.api.windowing.windows.Window;
import org.apache.flink.streaming.runtime.operators.windowing.WindowOperatorBuilder;
import org.apache.flink.util.Collector;

/** Window operators, made as Flink's WindowedStream makes them. */
final class WindowCases {
  private WindowCases() {}

  static OneInputStreamOperator<Row, FlinkCases.JsonText> operator(JsonNode operator) {
    JsonNode shape = operator.get("shape");
    if (shape.get("kind").asText().equals("count"))
      return made(operator, builder(GlobalWindows.create(), PurgingTrigger.of(CountTrigger.of(shape.get("size").asInt()))));
    var assigner = assigner(shape, operator.get("time").asText().equals("event"));
    boolean once = operator.get("trigger").asText().equals("once");
    var builder = builder(assigner, once ? new OnceAWatermark() : assigner.getDefaultTrigger());
    builder.allowedLateness(Duration.ofMillis(operator.get("allowedLatenessMs").asLong()));
    builder.sideOutputLateData(FlinkCases.LATE);
    return made(operator, builder);
  }

  private static <W extends Window> WindowOperatorBuilder<Row, String, W> builder(
      WindowAssigner<Object, W> assigner, Trigger<? super Row, ? super W> trigger) {
    return new WindowOperatorBuilder<>(assigner, trigger, new ExecutionConfig(), FlinkCases.ROWS, FlinkCases.BY_KEY, Types.STRING);
  }

  static WindowAssigner<Object, TimeWindow> assigner(JsonNode shape, boolean event) {
    switch (shape.get("kind").asText()) {
      case "tumbling": {
        Duration size = millis(shape, "sizeMs");
        Duration offset = millis(shape, "offsetMs");
        return event ? TumblingEventTimeWindows.of(size, offset) : TumblingProcessingTimeWindows.of(size, offset);
      }
      case "sliding": {
        Duration size = millis(shape, "sizeMs");
        Duration slide = millis(shape, "slideMs");
        Duration offset = millis(shape, "offsetMs");
        return event ? SlidingEventTimeWindows.of(size, slide, offset) : SlidingProcessingTimeWindows.of(size, slide, offset);
      }
      case "session": {
        Duration gap = millis(shape, "gapMs");
        return event ? EventTimeSessionWindows.withGap(gap) : ProcessingTimeSessionWindows.withGap(gap);
      }
      default:
        throw new IllegalArgumentException("no such windows: " + shape);
    }
  }

  private static Duration millis(JsonNode shape, String field) {
    return Duration.ofMillis(shape.get(field).asLong());
  }

  private static <W extends Window> OneInputStreamOperator<Row, FlinkCases.JsonText> made(
      JsonNode operator, WindowOperatorBuilder<Row, String, W> builder) {
    switch (operator.get("make").asText()) {
      case "process":
        return builder.process(new GiveAll<>());
      case "aggregate":
        return builder.aggregate(new Numbers(), new Give<>(), Types.LIST(Types.INT));
      case "reduce":
        return builder.reduce((one, other) -> new Row(one.k, Math.max(one.t, other.t), one.v + other.v), new GiveRow<>());
      default:
        throw new IllegalArgumentException("nothing is made so: " + operator);
    }
  }

  private static ObjectNode result(String key, Window window) {
    ObjectNode result = FlinkCases.JSON.createObjectNode().put("key", key);
    if (window instanceof TimeWindow) {
      TimeWindow time = (TimeWindow) window;
      result.put("startMs", time.getStart()).put("endMs", time.getEnd());
    }
    return result;
  }

  /** Gives the numbers of a window's rows, in Flink's order. */
  private static final class GiveAll<W extends Window> extends ProcessWindowFunction<Row, FlinkCases.JsonText, String, W> {
    @Override
    public void process(String key, Context context, Iterable<Row> rows, Collector<FlinkCases.JsonText> out) {
      ObjectNode result = result(key, context.window());
      ArrayNode values = result.putArray("value");
      for (Row row : rows) values.add(row.v);
      out.collect(new FlinkCases.JsonText(result));
    }
  }

  private static final class Give<W extends Window> extends ProcessWindowFunction<List<Integer>, FlinkCases.JsonText, String, W> {
    @Override
    public void process(String key, Context context, Iterable<List<Integer>> only, Collector<FlinkCases.JsonText> out) {
      ObjectNode result = result(key, context.window());
      ArrayNode values = result.putArray("value");
      for (int value : only.iterator().next()) values.add(value);
      out.collect(new FlinkCases.JsonText(result));
    }
  }

  private static final class GiveRow<W extends Window> extends ProcessWindowFunction<Row, FlinkCases.JsonText, String, W> {
    @Override
    public void process(String key, Context context, Iterable<Row> only, Collector<FlinkCases.JsonText> out) {
      ObjectNode result = result(key, context.window());
      Row row = only.iterator().next();
      result.putObject("value").put("k", row.k).put("t", row.t).put("v", row.v);
      out.collect(new FlinkCases.JsonText(result));
    }
  }

  private static final class Numbers implements AggregateFunction<Row, List<Integer>, List<Integer>> {
    @Override
    public List<Integer> createAccumulator() {
      return new ArrayList<>();
    }

    @Override
    public List<Integer> add(Row row, List<Integer> numbers) {
      List<Integer> more = new ArrayList<>(numbers);
      more.add(row.v);
      return more;
    }

    @Override
    public List<Integer> getResult(List<Integer> numbers) {
      return numbers;
    }

    @Override
    public List<Integer> merge(List<Integer> one, List<Integer> other) {
      List<Integer> both = new ArrayList<>(one);
      both.addAll(other);
      return both;
    }
  }

  /** EventTimeTrigger, but what comes late fires with the next watermark instead of at once. */
  static final class OnceAWatermark extends Trigger<Object, TimeWindow> {
    @Override
    public TriggerResult onElement(Object row, long timestamp, TimeWindow window, TriggerContext context) {
      context.registerEventTimeTimer(window.maxTimestamp());
      return TriggerResult.CONTINUE;
    }

    @Override
    public TriggerResult onEventTime(long time, TimeWindow window, TriggerContext context) {
      return time == window.maxTimestamp() ? TriggerResult.FIRE : TriggerResult.CONTINUE;
    }

    @Override
    public TriggerResult onProcessingTime(long time, TimeWindow window, TriggerContext context) {
      return TriggerResult.CONTINUE;
    }

    @Override
    public void clear(TimeWindow window, TriggerContext context) {
      context.deleteEventTimeTimer(window.maxTimestamp());
    }

    @Override
    public boolean canMerge() {
      return true;
    }

    @Override
    public void onMerge(TimeWindow window, OnMergeContext context) {
      context.registerEventTimeTimer(window.maxTimestamp());
    }
  }
}
