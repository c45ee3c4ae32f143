import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.streaming.api.TimeDomain;
import org.apache.flink.streaming.api.TimerService;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.util.Collector;

/** A KeyedProcessFunction that does with timers what the case says: case.ts. */
final class TimerCases {
  private TimerCases() {}

  static OneInputStreamOperator<Row, FlinkCases.JsonText> operator(JsonNode operator) {
    return new KeyedProcessOperator<>(new Programs(operator.get("onRecord"), operator.get("onTimer")));
  }

  private static final class Programs extends KeyedProcessFunction<String, Row, FlinkCases.JsonText> {
    private final transient JsonNode onRecord;
    private final transient JsonNode onTimer;
    private transient ValueState<Integer> seen;

    Programs(JsonNode onRecord, JsonNode onTimer) {
      this.onRecord = onRecord;
      this.onTimer = onTimer;
    }

    @Override
    public void open(OpenContext context) {
      seen = getRuntimeContext().getState(new ValueStateDescriptor<>("seen", Types.INT));
    }

    @Override
    public void processElement(Row row, Context context, Collector<FlinkCases.JsonText> out) throws Exception {
      TimerService timers = context.timerService();
      give(row.k, "row", row.t, timers, out);
      for (JsonNode action : onRecord.get(row.v)) act(action, row.t, timers);
    }

    @Override
    public void onTimer(long timeMs, OnTimerContext context, Collector<FlinkCases.JsonText> out) throws Exception {
      TimerService timers = context.timerService();
      String domain = context.timeDomain() == TimeDomain.EVENT_TIME ? "event" : "processing";
      int before = give(context.getCurrentKey(), domain, timeMs, timers, out);
      for (JsonNode rule : onTimer) {
        boolean applies = rule.get("domain").asText().equals(domain) && before <= rule.get("upTo").asInt();
        if (applies && Math.floorMod(timeMs, rule.get("modulo").asLong()) == rule.get("rest").asLong())
          for (JsonNode action : rule.get("actions")) act(action, timeMs, timers);
      }
    }

    /** Answers how often this was called for the key before. */
    private int give(String key, String domain, long timeMs, TimerService timers, Collector<FlinkCases.JsonText> out) throws Exception {
      int before = seen.value() == null ? 0 : seen.value();
      seen.update(before + 1);
      ObjectNode result = FlinkCases.JSON.createObjectNode().put("key", key).put("domain", domain).put("timeMs", timeMs).put("seen", before);
      if (timers.currentWatermark() != Long.MIN_VALUE) result.put("watermarkMs", timers.currentWatermark());
      if (domain.equals("processing")) result.put("processingMs", timers.currentProcessingTime());
      out.collect(new FlinkCases.JsonText(result));
      return before;
    }

    private static void act(JsonNode action, long baseMs, TimerService timers) {
      long timeMs = baseMs + action.get("afterMs").asLong();
      boolean set = action.get("do").asText().equals("set");
      if (action.get("domain").asText().equals("event")) {
        if (set) timers.registerEventTimeTimer(timeMs);
        else timers.deleteEventTimeTimer(timeMs);
      } else if (set) timers.registerProcessingTimeTimer(timeMs);
      else timers.deleteProcessingTimeTimer(timeMs);
    }
  }
}
