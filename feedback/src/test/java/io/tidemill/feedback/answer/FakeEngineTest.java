package io.tidemill.feedback.answer;

import io.tidemill.feedback.testing.FakeEngine;

class FakeEngineTest implements AnswerEngineContract {
    @Override
    public AnswerEngine engine() {
        return new FakeEngine("tidemill-000007", 1, 2, 3);
    }
}
