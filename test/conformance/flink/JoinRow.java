import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;

/** A row of a case of joins. A POJO of Flink. */
public final class JoinRow {
  public String k;
  public String name;
  public boolean gone;

  public JoinRow() {}

  JoinRow(JsonNode row) {
    k = row.get("k").asText();
    name = row.get("name").asText();
    gone = row.get("gone").asBoolean();
  }
}
