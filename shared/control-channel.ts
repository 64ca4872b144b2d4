import type { Redis } from 'ioredis';
import type { Logger } from './logger.js';
import { type ControlMessage, controlChannel } from './realtime/publisher.js';

/**
 * Listens to the orders for every process on a subscriber's connection of its own or a shared one. What is
 * missed while Redis is away is found by other means: leases carry the cancel flag, principals are read again.
 */
export function onControl(subscriber: Redis, logger: Logger, handle: (message: ControlMessage) => void): void {
  subscriber.on('message', (channel: string, text: string) => {
    if (channel !== controlChannel) return;
    try {
      handle(JSON.parse(text) as ControlMessage);
    } catch (error) {
      logger.warn({ err: error }, 'an order on the control channel was not understood');
    }
  });
  subscriber.subscribe(controlChannel).catch((error: unknown) => {
    logger.warn({ err: error }, 'the control channel was not subscribed to');
  });
}
