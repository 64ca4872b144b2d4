/** Helper process: reads streams with the SDK and nothing else, as the floor that is subtracted. */
import Anthropic from '@anthropic-ai/sdk';
import { epochMs, wait } from '../clock.js';
import { serveQuestions } from '../stage/messages.js';
import { delaysOf, type TokenDelays } from '../stream/delays.js';

export type SdkOrder = { providerUrl: string; streams: number; content: string; spreadMs: number };

async function read({ providerUrl, streams, content, spreadMs }: SdkOrder): Promise<TokenDelays> {
  const client = new Anthropic({ apiKey: 'bench', baseURL: providerUrl, maxRetries: 0 });
  const startedAt = epochMs();
  const heard = await Promise.all(
    Array.from({ length: streams }, async (_, index) => {
      await wait(startedAt + (index * spreadMs) / streams - epochMs());
      return readOne(client, content);
    }),
  );
  return delaysOf(heard);
}

async function readOne(client: Anthropic, content: string): Promise<{ text: string; at: number }[]> {
  const heard: { text: string; at: number }[] = [];
  const events = await client.messages.create({
    model: 'claude-sonnet-5-5',
    max_tokens: 8_192,
    messages: [{ role: 'user', content }],
    stream: true,
  });
  for await (const event of events) {
    if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') {
      heard.push({ text: event.delta.text, at: epochMs() });
    }
  }
  return heard;
}

serveQuestions({ read });
