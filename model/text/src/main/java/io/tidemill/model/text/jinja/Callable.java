package io.tidemill.model.text.jinja;

/** A function, method or macro. */
@FunctionalInterface
interface Callable {
    Object call(Run run, Args args);
}
