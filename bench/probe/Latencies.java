/** Counts milliseconds. */
final class Latencies {
  private static final int MOST_MS = 600_000;
  private final long[] counts = new long[MOST_MS + 1];
  private long count;

  void add(long ms) {
    counts[(int) Math.max(0, Math.min(MOST_MS, ms))]++;
    count++;
  }

  long count() {
    return count;
  }

  /** Members of a JSON object. */
  String json() {
    return String.format("\"counted\":%d,\"p50\":%d,\"p90\":%d,\"p99\":%d,\"max\":%d", count, at(0.5), at(0.9), at(0.99), at(1));
  }

  private long at(double fraction) {
    long rank = (long) Math.ceil(fraction * count);
    long seen = 0;
    for (int ms = 0; ms <= MOST_MS; ms++) if ((seen += counts[ms]) >= rank && rank > 0) return ms;
    return 0;
  }
}
