/**
 * Questions of a bench to its processes, over the channel that Node opens between parent and child. Each has a
 * name, data and one answer; several may be under way.
 */
export type Question = { id: number; ask: string; data: unknown };
export type Answer = { id: number; value?: unknown; error?: string };

type Handlers = Record<string, (data: never) => unknown>;

/** In a child: answers the questions that have a handler, and leaves others to other listeners. */
export function answerQuestions(handlers: Handlers): void {
  process.on('message', (question: Question) => {
    const handler = Object.hasOwn(handlers, question.ask) ? handlers[question.ask] : undefined;
    if (!handler) return;
    Promise.resolve()
      .then(() => handler(question.data as never))
      .then(
        (value) => send({ id: question.id, value }),
        (error: unknown) => send({ id: question.id, error: String(error instanceof Error ? error.stack : error) }),
      );
  });
}

/** The same in a process of a bench itself: says that it is ready, and lives until it is told to end. */
export function serveQuestions(handlers: Handlers): void {
  answerQuestions(handlers);
  process.channel?.ref();
  process.on('disconnect', () => process.exit(0));
  console.log(JSON.stringify({ ready: true }));
}

function send(answer: Answer): void {
  process.send?.(answer);
}
