import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.function.ObjIntConsumer;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/**
 * Reads the whole input and the whole committed output, and checks that for each key the output has the counts 1..n once
 * each, that they ascend within each partition, that nothing else is in the output, and that the records themselves are
 * those of the input. An output record is {@code <record>:::<count>}; the key is the record up to its first space. In the
 * shape {@code words} and {@code keys} each word of a line is a record, in the others each line.
 */
final class Verify {
  private static final int IN_MASK = 63;

  private final Map<String, Integer> numbers = new HashMap<>();
  private int keys;
  /** By key number: records in the input, and in the output; bit c: the count c was seen (counts beyond 63 are in `more`). */
  private int[] expected = new int[1024];
  private int[] seen = new int[1024];
  private long[] masks = new long[1024];
  private final Map<Integer, BitSet> more = new HashMap<>();
  /** By partition and key number: the latest count. */
  private int[][] latest = new int[0][];

  private long records;
  private long outputs;
  private long repeated;
  private long disordered;
  private long malformed;
  private long inputSum;
  private long outputSum;

  static void run(String boot, String in, String out, String shape) {
    long startedMs = System.currentTimeMillis();
    Verify verify = new Verify();
    boolean words = shape.equals("words") || shape.equals("keys");
    long lines = readAll(boot, in, (line, partition) -> verify.takeLine(line, words));
    readAll(boot, out, verify::takeOutput);
    verify.say(lines, System.currentTimeMillis() - startedMs);
  }

  private static long readAll(String boot, String topic, ObjIntConsumer<byte[]> take) {
    long count = 0;
    try (KafkaConsumer<byte[], byte[]> reader = Clients.reader(boot, topic)) {
      Map<TopicPartition, Long> ends = reader.endOffsets(reader.assignment());
      while (ends.entrySet().stream().anyMatch(end -> reader.position(end.getKey()) < end.getValue())) {
        for (ConsumerRecord<byte[], byte[]> record : reader.poll(Duration.ofMillis(200))) {
          take.accept(record.value(), record.partition());
          count++;
        }
      }
    }
    return count;
  }

  private void takeLine(byte[] line, boolean words) {
    int start = 0;
    if (words) {
      for (int at = 0; at < line.length; at++) {
        if (line[at] != ' ') continue;
        takeRecord(line, start, at);
        start = at + 1;
      }
    }
    takeRecord(line, start, line.length);
  }

  private void takeRecord(byte[] bytes, int start, int end) {
    records++;
    inputSum += hash(bytes, start, end);
    int key = numberOf(bytes, start, end);
    expected[key]++;
  }

  private void takeOutput(byte[] bytes, int partition) {
    outputs++;
    int digits = bytes.length;
    int count = 0;
    for (int unit = 1; digits > 0 && bytes[digits - 1] >= '0' && bytes[digits - 1] <= '9'; unit *= 10) count += (bytes[--digits] - '0') * unit;
    int end = digits - 3;
    if (end < 0 || digits == bytes.length || bytes[end] != ':' || bytes[end + 1] != ':' || bytes[end + 2] != ':') {
      malformed++;
      return;
    }
    outputSum += hash(bytes, 0, end);
    int key = numberOf(bytes, 0, end);
    seen[key]++;
    if (!firstTime(key, count)) repeated++;
    if (partition >= latest.length) latest = Arrays.copyOf(latest, partition + 1);
    if (latest[partition] == null || latest[partition].length < seen.length)
      latest[partition] = latest[partition] == null ? new int[seen.length] : Arrays.copyOf(latest[partition], seen.length);
    if (count <= latest[partition][key]) disordered++;
    else latest[partition][key] = count;
  }

  private boolean firstTime(int key, int count) {
    if (count <= IN_MASK) {
      long bit = 1L << count;
      boolean first = (masks[key] & bit) == 0;
      masks[key] |= bit;
      return first;
    }
    BitSet counts = more.computeIfAbsent(key, made -> new BitSet());
    boolean first = !counts.get(count);
    counts.set(count);
    return first;
  }

  /** The key is what stands before the first space. */
  private int numberOf(byte[] bytes, int start, int end) {
    int keyEnd = start;
    while (keyEnd < end && bytes[keyEnd] != ' ') keyEnd++;
    String key = new String(bytes, start, keyEnd - start, StandardCharsets.ISO_8859_1);
    Integer known = numbers.get(key);
    if (known != null) return known;
    if (keys == expected.length) {
      expected = Arrays.copyOf(expected, keys * 2);
      seen = Arrays.copyOf(seen, keys * 2);
      masks = Arrays.copyOf(masks, keys * 2);
    }
    numbers.put(key, keys);
    return keys++;
  }

  /** FNV-1a, mixed. Sums of it are equal when the records are the same ones in whatever order. */
  private static long hash(byte[] bytes, int start, int end) {
    long hash = 0xcbf29ce484222325L;
    for (int at = start; at < end; at++) hash = (hash ^ (bytes[at] & 0xff)) * 0x100000001b3L;
    hash = (hash ^ (hash >>> 32)) * 0xd6e8feb86659fd93L;
    return hash ^ (hash >>> 32);
  }

  private void say(long lines, long ms) {
    long missing = 0;
    long unexpected = 0;
    for (int key = 0; key < keys; key++) {
      int want = expected[key];
      BitSet counts = more.get(key);
      long wanted = want >= IN_MASK ? ~1L : (1L << (want + 1)) - 2;
      int within = Long.bitCount(masks[key] & wanted);
      int all = Long.bitCount(masks[key]);
      if (counts != null) {
        all += counts.cardinality();
        within += want > IN_MASK ? counts.get(0, want + 1).cardinality() : 0;
      }
      missing += want - within;
      unexpected += all - within;
    }
    boolean exact =
        missing == 0 && unexpected == 0 && repeated == 0 && disordered == 0 && malformed == 0 && outputs == records && inputSum == outputSum;
    Clients.say(
        String.format(
            "{\"done\":true,\"exact\":%b,\"lines\":%d,\"records\":%d,\"outputs\":%d,\"keys\":%d,\"missing\":%d,\"unexpected\":%d,\"repeated\":%d,"
                + "\"disordered\":%d,\"malformed\":%d,\"sameRecords\":%b,\"ms\":%d}",
            exact, lines, records, outputs, keys, missing, unexpected, repeated, disordered, malformed, inputSum == outputSum, ms));
  }
}
