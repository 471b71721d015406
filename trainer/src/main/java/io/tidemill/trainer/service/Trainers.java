package io.tidemill.trainer.service;

import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.CheckpointEvent;
import io.tidemill.trainer.round.Trainer;
import java.util.List;
import java.util.Optional;

/** The trainers of this process, one a model, in the order of the setting. */
public record Trainers(List<Trainer> all) {
    public Trainers {
        all = List.copyOf(all);
    }

    /** What is meant where no model is named. */
    public Trainer first() {
        return all.get(0);
    }

    public Optional<Trainer> of(String model) {
        return all.stream().filter(trainer -> trainer.model().equals(model)).findFirst();
    }

    /** The newest event of a version of any of them. */
    public Optional<CheckpointEvent> event(String version) {
        return trainer(version).flatMap(trainer -> {
            List<CheckpointEvent> events = trainer.status().events();
            for (int i = events.size() - 1; i >= 0; i--) {
                if (events.get(i).getVersion().equals(version)) {
                    return Optional.of(events.get(i));
                }
            }
            return Optional.empty();
        });
    }

    /** That of a version's model. */
    public Optional<Trainer> trainer(String version) {
        try {
            return of(VersionId.parse(version).model());
        } catch (IllegalArgumentException notAVersion) {
            return Optional.empty();
        }
    }
}
