/** A value of a case: its key, its timestamp in milliseconds, and a number. A POJO of Flink. */
public final class Row {
  public String k;
  public long t;
  public int v;

  public Row() {}

  Row(String k, long t, int v) {
    this.k = k;
    this.t = t;
    this.v = v;
  }
}
