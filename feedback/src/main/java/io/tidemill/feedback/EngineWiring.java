package io.tidemill.feedback;

import io.quarkus.arc.DefaultBean;
import io.tidemill.feedback.answer.EngineLoader;
import io.tidemill.feedback.answer.ModelLoader;
import io.tidemill.model.engine.ComputeType;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;

/** Chooses who loads models: Tidemill's own engine, unless the application brings another. */
@Singleton
public class EngineWiring {
    @Produces
    @Singleton
    @DefaultBean
    EngineLoader engineLoader(FeedbackConfig config) {
        ComputeType compute =
                switch (config.compute()) {
                    case BEST -> ComputeType.best();
                    case FLOAT32 -> ComputeType.FLOAT32;
                    case BFLOAT16 -> ComputeType.BFLOAT16;
                };
        return new ModelLoader(compute, config.generators(), config.threads());
    }
}
