import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.state.StateTtlConfig;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ArrayNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.node.ObjectNode;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.operators.TwoInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedTwoInputStreamOperatorTestHarness;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.binary.BinaryRowData;
import org.apache.flink.table.data.writer.BinaryRowWriter;
import org.apache.flink.table.runtime.generated.GeneratedJoinCondition;
import org.apache.flink.table.runtime.generated.GeneratedRecordComparator;
import org.apache.flink.table.runtime.generated.JoinCondition;
import org.apache.flink.table.runtime.generated.RecordComparator;
import org.apache.flink.table.runtime.keyselector.RowDataKeySelector;
import org.apache.flink.table.runtime.operators.deduplicate.ProcTimeDeduplicateKeepFirstRowFunction;
import org.apache.flink.table.runtime.operators.join.FlinkJoinType;
import org.apache.flink.table.runtime.operators.join.KeyedCoProcessOperatorWithWatermarkDelay;
import org.apache.flink.table.runtime.operators.join.interval.IntervalJoinFunction;
import org.apache.flink.table.runtime.operators.join.interval.RowTimeIntervalJoin;
import org.apache.flink.table.runtime.operators.join.temporal.TemporalProcessTimeJoinOperator;
import org.apache.flink.table.runtime.operators.join.temporal.TemporalRowTimeJoinOperator;
import org.apache.flink.table.runtime.operators.rank.AppendOnlyTopNFunction;
import org.apache.flink.table.runtime.operators.rank.ConstantRankRange;
import org.apache.flink.table.runtime.operators.rank.RankType;
import org.apache.flink.table.runtime.typeutils.InternalTypeInfo;
import org.apache.flink.table.types.logical.BigIntType;
import org.apache.flink.table.types.logical.IntType;
import org.apache.flink.table.types.logical.VarCharType;
import org.apache.flink.types.RowKind;

/** Operators of Flink's SQL, made as its planner makes them, but that what it would generate is written here. */
final class TableCases {
  private static final VarCharType STRING = VarCharType.STRING_TYPE;
  /** Key, time, name, what ranks, and the whole as text. */
  private static final InternalTypeInfo<RowData> ROWS =
      InternalTypeInfo.ofFields(STRING, new BigIntType(), STRING, new IntType(), STRING);
  private static final int TIME = 1;
  private static final int NAME = 2;
  private static final int FIELDS = 5;
  /** SQL's interval join takes what is before 1970 for late. */
  private static final long SHIFT_MS = 1_000_000;
  private static final InternalTypeInfo<RowData> RANKED =
      InternalTypeInfo.ofFields(STRING, new BigIntType(), STRING, new IntType(), STRING, new BigIntType());
  private static final InternalTypeInfo<RowData> PAIRS = InternalTypeInfo.ofFields(
      STRING, new BigIntType(), STRING, new IntType(), STRING, STRING, new BigIntType(), STRING, new IntType(), STRING);

  private TableCases() {}

  /** The left one of SQL: DataStream has none. */
  static ArrayNode interval(JsonNode operator, JsonNode steps) throws Exception {
    // Here they say how much later the left row is.
    long lower = -operator.get("upperBoundMs").asLong();
    long upper = -operator.get("lowerBoundMs").asLong();
    var function = new IntervalJoinFunction(always(), PAIRS, new boolean[] {true});
    var join = new RowTimeIntervalJoin(FlinkJoinType.LEFT, lower, upper, 0, 0, ROWS, ROWS, function, TIME, TIME);
    return twoInputs(new KeyedCoProcessOperatorWithWatermarkDelay<>(join, join.getMaxOutputDelay()), steps);
  }

  static ArrayNode asOf(JsonNode operator, JsonNode steps) throws Exception {
    return twoInputs(new TemporalRowTimeJoinOperator(ROWS, ROWS, always(), TIME, TIME, 0, 0, isLeft(operator)), steps);
  }

  static ArrayNode table(JsonNode operator, JsonNode steps) throws Exception {
    return twoInputs(new TemporalProcessTimeJoinOperator(ROWS, always(), 0, 0, isLeft(operator)), steps);
  }

  static ArrayNode deduplicate(JsonNode operator, JsonNode steps) throws Exception {
    long forMs = operator.has("forMs") ? operator.get("forMs").asLong() : 0;
    return oneInput(new KeyedProcessOperator<>(new ProcTimeDeduplicateKeepFirstRowFunction(forMs)), ROWS, steps);
  }

  static ArrayNode top(JsonNode operator, JsonNode steps) throws Exception {
    var range = new ConstantRankRange(1, operator.get("n").asLong());
    var function = new AppendOnlyTopNFunction(
        StateTtlConfig.DISABLED, ROWS, new ByRank(), new Fields(3, 4), RankType.ROW_NUMBER, range, true, true, 1000);
    var rank = new KeyedProcessOperator<>(function);
    function.setKeyContext(rank);
    return oneInput(rank, RANKED, steps);
  }

  private static boolean isLeft(JsonNode operator) {
    return operator.get("type").asText().equals("left");
  }

  private static ArrayNode oneInput(
      OneInputStreamOperator<RowData, RowData> operator, InternalTypeInfo<RowData> made, JsonNode steps) throws Exception {
    var key = new Fields(0);
    try (var harness = new KeyedOneInputStreamOperatorTestHarness<>(operator, key, key.getProducedType())) {
      harness.setup(made.toRowSerializer());
      harness.open();
      return JoinCases.outputs(harness, steps, new Rows(harness) {
        @Override
        public void left(JsonNode row) throws Exception {
          harness.processElement(record(row));
        }

        @Override
        public void right(JsonNode row) {
          throw new IllegalArgumentException("it has one input");
        }

        @Override
        public void watermark(long timeMs) throws Exception {
          harness.processWatermark(timeMs + SHIFT_MS);
        }
      });
    }
  }

  private static ArrayNode twoInputs(TwoInputStreamOperator<RowData, RowData, RowData> operator, JsonNode steps) throws Exception {
    var key = new Fields(0);
    try (var harness = new KeyedTwoInputStreamOperatorTestHarness<>(operator, key, key, key.getProducedType())) {
      harness.setup(PAIRS.toRowSerializer());
      harness.open();
      return JoinCases.outputs(harness, steps, new Rows(harness) {
        @Override
        public void left(JsonNode row) throws Exception {
          harness.processElement1(record(row));
        }

        @Override
        public void right(JsonNode row) throws Exception {
          harness.processElement2(record(row));
        }

        @Override
        public void watermark(long timeMs) throws Exception {
          harness.processBothWatermarks(new Watermark(timeMs + SHIFT_MS));
        }
      });
    }
  }

  private static StreamRecord<RowData> record(JsonNode row) {
    boolean goes = row.get("gone").asBoolean() && row.get("name").asText().startsWith("r");
    return new StreamRecord<>(GenericRowData.ofKind(
        goes ? RowKind.DELETE : RowKind.INSERT,
        StringData.fromString(row.get("k").asText()),
        row.get("t").asLong() + SHIFT_MS,
        StringData.fromString(row.get("name").asText()),
        row.get("p").asInt(),
        StringData.fromString(row.toString())));
  }

  /** Of a pair both names, of a rank the rank and the name, else the name. */
  private static String textOf(RowData row) {
    String own = row.getString(0) + " ";
    if (row.getArity() == FIELDS + 1) return own + row.getLong(FIELDS) + " " + row.getString(NAME);
    if (row.getArity() == FIELDS) return own + row.getString(NAME);
    return own + row.getString(NAME) + " " + (row.isNullAt(FIELDS) ? "-" : row.getString(FIELDS + NAME));
  }

  private abstract static class Rows implements JoinCases.Sides {
    private final AbstractStreamOperatorTestHarness<RowData> harness;

    Rows(AbstractStreamOperatorTestHarness<RowData> harness) {
      this.harness = harness;
    }

    /** A rank that has another row is taken away before: only the new one is told. */
    @Override
    public List<ObjectNode> taken() {
      List<ObjectNode> taken = new ArrayList<>();
      for (Object output : harness.getOutput()) {
        if (!(output instanceof StreamRecord)) continue;
        RowData row = (RowData) ((StreamRecord<?>) output).getValue();
        if (row.getRowKind() != RowKind.UPDATE_BEFORE) taken.add(FlinkCases.JSON.createObjectNode().put("text", textOf(row)));
      }
      harness.getOutput().clear();
      return taken;
    }
  }

  /** Rows of one key always belong together. */
  private static GeneratedJoinCondition always() {
    return new GeneratedJoinCondition("Always", "", new Object[0]) {
      @Override
      public JoinCondition newInstance(ClassLoader loader) {
        return new Always();
      }
    };
  }

  private static final class Always extends org.apache.flink.api.common.functions.AbstractRichFunction implements JoinCondition {
    @Override
    public boolean apply(RowData left, RowData right) {
      return true;
    }
  }

  /** The greater number first; of equals the lesser text. */
  private static final class ByRank extends GeneratedRecordComparator {
    ByRank() {
      super("ByRank", "", new Object[0]);
    }

    @Override
    public RecordComparator newInstance(ClassLoader loader) {
      return (one, other) -> {
        int order = Integer.compare(other.getInt(0), one.getInt(0));
        return order != 0 ? order : one.getString(1).compareTo(other.getString(1));
      };
    }
  }

  /** A row of some fields: text, or the number that ranks. */
  private static final class Fields implements RowDataKeySelector {
    private final int[] fields;

    Fields(int... fields) {
      this.fields = fields;
    }

    @Override
    public RowData getKey(RowData row) {
      BinaryRowData key = new BinaryRowData(fields.length);
      BinaryRowWriter writer = new BinaryRowWriter(key);
      for (int at = 0; at < fields.length; at++) {
        if (fields[at] == 3) writer.writeInt(at, row.getInt(3));
        else writer.writeString(at, row.getString(fields[at]));
      }
      writer.complete();
      return key;
    }

    @Override
    public InternalTypeInfo<RowData> getProducedType() {
      return fields.length == 1 ? InternalTypeInfo.ofFields(STRING) : InternalTypeInfo.ofFields(new IntType(), STRING);
    }

    @Override
    public RowDataKeySelector copy() {
      return new Fields(fields);
    }
  }
}
