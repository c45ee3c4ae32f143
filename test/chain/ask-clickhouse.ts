/** As anybody asks over HTTP. @throws Error with ClickHouse's message */
export async function askClickHouse(url: string, query: string): Promise<string[]> {
  const answer = await fetch(url, { method: 'POST', body: query });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return text.split('\n').slice(0, -1);
}
