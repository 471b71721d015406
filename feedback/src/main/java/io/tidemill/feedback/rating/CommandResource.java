package io.tidemill.feedback.rating;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.google.protobuf.Timestamp;
import io.smallrye.common.annotation.Blocking;
import io.tidemill.feedback.access.AccessFilter;
import io.tidemill.feedback.log.EventLog;
import io.tidemill.feedback.request.Fields;
import io.tidemill.feedback.request.InvalidRequest;
import io.tidemill.proto.Ids;
import io.tidemill.proto.VersionId;
import io.tidemill.proto.v1.Command;
import io.tidemill.proto.v1.Pause;
import io.tidemill.proto.v1.Promote;
import io.tidemill.proto.v1.QuietHours;
import io.tidemill.proto.v1.Release;
import io.tidemill.proto.v1.Resume;
import io.tidemill.proto.v1.Retrain;
import io.tidemill.proto.v1.Rollback;
import io.tidemill.proto.v1.StartRound;
import io.vertx.ext.web.RoutingContext;
import jakarta.ws.rs.POST;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.Produces;
import jakarta.ws.rs.core.Context;
import jakarta.ws.rs.core.MediaType;
import jakarta.ws.rs.core.Response;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalTime;
import java.time.ZoneId;
import java.time.format.DateTimeParseException;

/** What a person asks of the trainer; accepted means that it stands on {@code commands}. */
@Path("/v1/commands")
@Produces(MediaType.APPLICATION_JSON)
@Blocking
public class CommandResource {
    private final CommandLog commands;

    public CommandResource(CommandLog commands) {
        this.commands = commands;
    }

    @POST
    public Response command(byte[] body, @Context RoutingContext call) {
        Fields fields = Fields.ofObject(body);
        Instant now = commands.clock().instant();
        Command.Builder command = Command.newBuilder()
                .setCommandId(Ids.uuid7())
                .setModel(commands.model())
                .setPrincipal(AccessFilter.principal(call))
                .setEventTime(
                        Timestamp.newBuilder().setSeconds(now.getEpochSecond()).setNanos(now.getNano()));
        kind(fields, command);
        fields.nothingElse();
        EventLog.await(commands.append(command.build()));
        return Response.accepted(JsonNodeFactory.instance.objectNode().put("command_id", command.getCommandId()))
                .build();
    }

    private static void kind(Fields fields, Command.Builder command) {
        String known = "one of start_round, pause, resume, promote, rollback, release, quiet_hours, retrain";
        String kind = fields.text("kind").orElseThrow(() -> InvalidRequest.missing("kind", known));
        switch (kind) {
            case "start_round" -> command.setStartRound(StartRound.newBuilder().addAllStages(fields.texts("stages")));
            case "pause" -> command.setPause(Pause.newBuilder().setReason(reason(fields)));
            case "resume" -> command.setResume(Resume.getDefaultInstance());
            case "promote" -> command.setPromote(Promote.newBuilder().setVersion(version(fields, true)));
            case "rollback" ->
                command.setRollback(
                        Rollback.newBuilder().setVersion(version(fields, false)).setReason(reason(fields)));
            case "release" -> command.setRelease(Release.newBuilder().setVersion(version(fields, true)));
            case "quiet_hours" -> command.setQuietHours(quietHours(fields));
            case "retrain" ->
                command.setRetrain(
                        Retrain.newBuilder().setForce(fields.flag("force").orElse(false)));
            default -> throw InvalidRequest.value("kind", kind, known);
        }
    }

    /** Both times, or neither for no quiet hours. */
    private static QuietHours quietHours(Fields fields) {
        String zone = fields.text("zone").orElse("");
        try {
            QuietHours.Builder hours = QuietHours.newBuilder()
                    .setZone(zone.isBlank() ? "" : ZoneId.of(zone).getId());
            if (fields.has("from") || fields.has("to")) {
                hours.setFrom(time(fields, "from")).setTo(time(fields, "to"));
            }
            return hours.build();
        } catch (DateTimeException e) {
            throw InvalidRequest.value("zone", '"' + zone + '"', "a time zone such as Europe/Berlin");
        }
    }

    private static String time(Fields fields, String name) {
        String expected = "a local time such as 22:00";
        String time = fields.requiredText(name, expected);
        try {
            return LocalTime.parse(time).toString();
        } catch (DateTimeParseException e) {
            throw InvalidRequest.value(name, '"' + time + '"', expected);
        }
    }

    private static String reason(Fields fields) {
        return fields.text("reason").orElse("");
    }

    private static String version(Fields fields, boolean required) {
        String version = fields.text("version").orElse("");
        if (version.isEmpty() && !required) {
            return version;
        }
        try {
            return VersionId.parse(version).toString();
        } catch (IllegalArgumentException e) {
            throw InvalidRequest.value("version", '"' + version + '"', "a version such as tidemill-000012");
        }
    }
}
