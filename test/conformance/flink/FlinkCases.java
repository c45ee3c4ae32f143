import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.java.functions.KeySelector;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ArrayNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.util.OutputTag;

/**
 * Runs cases through Flink's operators in its test harness. Reads a case a line from stdin, and answers with a line on stdout:
 * {"outputs": for each step a list of what it gave}, or {"error": a stack trace}. What they are made of: case.ts, and of joins
 * ../joins/case.ts.
 */
public final class FlinkCases {
  static final ObjectMapper JSON = new ObjectMapper();
  static final TypeInformation<Row> ROWS = TypeInformation.of(Row.class);
  static final OutputTag<Row> LATE = new OutputTag<>("late", ROWS);
  static final KeySelector<Row, String> BY_KEY = new ByKey();

  private FlinkCases() {}

  public static void main(String[] args) throws Exception {
    PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    // Whatever a library prints is no answer.
    System.setOut(System.err);
    BufferedReader cases = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = cases.readLine(); line != null; line = cases.readLine()) answers.println(JSON.writeValueAsString(answer(line)));
  }

  private static ObjectNode answer(String line) {
    ObjectNode answer = JSON.createObjectNode();
    try {
      JsonNode given = JSON.readTree(line);
      JsonNode operator = given.get("operator");
      boolean joins = JoinCases.has(operator.get("kind").asText());
      answer.set("outputs", joins ? JoinCases.run(operator, given.get("steps")) : run(operator(operator), given.get("steps")));
    } catch (Throwable error) {
      StringWriter trace = new StringWriter();
      error.printStackTrace(new PrintWriter(trace));
      answer.put("error", trace.toString());
    }
    return answer;
  }

  private static OneInputStreamOperator<Row, JsonText> operator(JsonNode operator) {
    return operator.get("kind").asText().equals("timers") ? TimerCases.operator(operator) : WindowCases.operator(operator);
  }

  private static ArrayNode run(OneInputStreamOperator<Row, JsonText> operator, JsonNode steps) throws Exception {
    ArrayNode outputs = JSON.createArrayNode();
    try (var harness = new KeyedOneInputStreamOperatorTestHarness<>(operator, BY_KEY, Types.STRING)) {
      harness.setup(TypeInformation.of(JsonText.class).createSerializer(harness.getExecutionConfig().getSerializerConfig()));
      harness.open();
      for (JsonNode step : steps) {
        if (step.has("row")) {
          JsonNode row = step.get("row");
          long t = row.get("t").asLong();
          harness.processElement(new Row(row.get("k").asText(), t, row.get("v").asInt()), t);
        } else if (step.has("watermark")) harness.processWatermark(step.get("watermark").asLong());
        else harness.setProcessingTime(step.get("processingTime").asLong());
        outputs.add(taken(harness));
      }
    }
    return outputs;
  }

  private static ArrayNode taken(KeyedOneInputStreamOperatorTestHarness<String, Row, JsonText> harness) throws Exception {
    ArrayNode taken = JSON.createArrayNode();
    for (Object output : harness.getOutput()) {
      if (!(output instanceof StreamRecord)) continue;
      StreamRecord<?> record = (StreamRecord<?>) output;
      ObjectNode one = (ObjectNode) JSON.readTree(((JsonText) record.getValue()).text);
      if (record.hasTimestamp()) one.put("timestamp", record.getTimestamp());
      taken.add(one);
    }
    harness.getOutput().clear();
    var late = harness.getSideOutput(LATE);
    if (late != null) {
      for (StreamRecord<Row> record : late)
        taken.addObject().put("key", record.getValue().k).put("late", record.getValue().v).put("timestamp", record.getTimestamp());
      late.clear();
    }
    return taken;
  }

  private static final class ByKey implements KeySelector<Row, String> {
    @Override
    public String getKey(Row row) {
      return row.k;
    }
  }

  /** What an operator gives, as the text of a JSON object. A POJO of Flink. */
  public static final class JsonText {
    public String text;

    public JsonText() {}

    JsonText(JsonNode node) {
      text = node.toString();
    }
  }
}
