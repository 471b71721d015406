package io.tidemill.preprocess.stream;

/** Told of each record that an operator failed on in a way that nobody had foreseen. */
public interface Failures {
    /** Key in the application's settings under which the handlers find it. */
    String KEY = "preprocess.failures";

    void failed(String operator);
}
