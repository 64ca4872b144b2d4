/** Takes a listener off again. */
export type Off = () => void;

/** Events by name with what their listeners get. */
export type Emitter<Events> = {
  on<Name extends keyof Events>(name: Name, listener: (value: Events[Name]) => void): Off;
  emit<Name extends keyof Events>(name: Name, value: Events[Name]): void;
};

/** A listener that throws does not keep the others from hearing, nor disturb what is emitted next. */
export function createEmitter<Events>(): Emitter<Events> {
  const listeners = new Map<keyof Events, Set<(value: never) => void>>();
  return {
    on(name, listener) {
      const known = listeners.get(name) ?? new Set();
      listeners.set(name, known.add(listener));
      return () => void known.delete(listener);
    },
    emit(name, value) {
      for (const listener of [...(listeners.get(name) ?? [])]) {
        try {
          (listener as (value: unknown) => void)(value);
        } catch (error) {
          setTimeout(() => {
            throw error;
          });
        }
      }
    },
  };
}
