import { TextDecoder } from 'node:util';
import { SaxesParser } from 'saxes';
import { bomOf } from '../byte-order.js';
import { damaged, ExtractionFailed } from '../failure.js';

/** What is done at the tags and texts of an XML file. Names come without their namespace prefix. */
export type XmlHandler = {
  open?: (name: string, attributes: Record<string, string>) => void;
  text?: (text: string) => void;
  close?: (name: string) => void;
};

const maxDepth = 1_000;

/**
 * Reads XML in pieces. Yields after each one, so that the caller can pass on what its handler has gathered.
 * Entities are never expanded: a file that declares its own is refused.
 */
export async function* readXml(bytes: AsyncIterable<Buffer>, handler: XmlHandler): AsyncGenerator<void> {
  const parser = new SaxesParser({ xmlns: false, position: false });
  let decoder: TextDecoder | undefined;
  let depth = 0;
  parser.on('error', (error) => {
    throw damaged('office', error);
  });
  parser.on('doctype', () => {
    throw damaged('office', 'it declares a document type');
  });
  parser.on('opentag', ({ name, attributes }) => {
    depth += 1;
    if (depth > maxDepth) throw damaged('office', 'its elements are nested too deeply');
    handler.open?.(local(name), attributes);
  });
  parser.on('text', (text) => handler.text?.(text));
  parser.on('cdata', (text) => handler.text?.(text));
  parser.on('closetag', ({ name }) => {
    depth -= 1;
    handler.close?.(local(name));
  });
  try {
    for await (const some of bytes) {
      decoder ??= new TextDecoder(bomOf(some)?.encoding ?? 'utf-8');
      parser.write(decoder.decode(some, { stream: true }));
      yield;
    }
    parser.close();
    yield;
  } catch (error) {
    throw error instanceof ExtractionFailed ? error : damaged('office', error);
  }
}

/** Reads all of an XML file that is known to be small. */
export async function scanXml(bytes: AsyncIterable<Buffer>, handler: XmlHandler): Promise<void> {
  for await (const _ of readXml(bytes, handler));
}

const local = (name: string): string => name.slice(name.indexOf(':') + 1);
