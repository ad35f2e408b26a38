// What the chat needs of an engine, so that tests can put another one in its place.
#pragma once
#include <QJsonObject>
#include <QObject>
#include <QStringList>
#include <QVariantList>
#include <functional>
#include <optional>
#include <vector>

#include "app/chat/device_rows.h"
#include "app/engine/engine_client.h"
#include "app/engine/engine_process.h"
#include "app/engine/server_answers.h"
#include "app/history/history_store.h"

namespace lava::app {

// One question under way. Ends with exactly one of done, failed, cancelled; deleting it cancels without a signal.
class Asking : public QObject {
  Q_OBJECT
 public:
  using QObject::QObject;
  virtual void cancel() = 0;

 signals:
  void progress(const QString& phase, int done, int total);
  void text(const QString& delta);
  void done(const lava::app::AnswerDone& answer);
  void failed(const lava::Error& error);
  void cancelled();
};

// A question brought in before its words are known. Ends with one of the signals; deleting it stops the work without a signal.
class Preparing : public QObject {
  Q_OBJECT
 public:
  using QObject::QObject;

 signals:
  void done(const QJsonObject& timings);
  void failed(const lava::Error& error);
};

struct AskTurn {
  Role role = Role::user;
  QString text;
  std::vector<Attachment> pictures;
  std::vector<QRectF> regions;  // of the last picture, in pixels of it upright
};

inline constexpr char server_choice[] = "server";  // beside the names of devices

class EngineLink : public QObject {
  Q_OBJECT
  Q_PROPERTY(QString state READ state_name NOTIFY changed)
  Q_PROPERTY(double progress READ progress NOTIFY changed)
  Q_PROPERTY(QString phase READ phase NOTIFY changed)
  Q_PROPERTY(QString modelName READ model_name NOTIFY changed)
  Q_PROPERTY(bool vision READ vision NOTIFY changed)
  Q_PROPERTY(bool blind READ blind NOTIFY changed)
  Q_PROPERTY(QString backend READ backend NOTIFY changed)
  Q_PROPERTY(QString device READ device NOTIFY changed)
  Q_PROPERTY(QString notice READ notice NOTIFY changed)
  Q_PROPERTY(QVariantList memory READ memory NOTIFY changed)
  Q_PROPERTY(bool unloaded READ unloaded NOTIFY changed)
  Q_PROPERTY(bool canUnload READ can_unload NOTIFY changed)
  Q_PROPERTY(QString logFile READ log_file NOTIFY changed)
  Q_PROPERTY(int servedCount READ served_count NOTIFY changed)
  Q_PROPERTY(QString servedModel READ served_model NOTIFY changed)
  Q_PROPERTY(QString servedChoice READ served_choice NOTIFY changed)
  Q_PROPERTY(double memoryUsed READ memory_used NOTIFY changed)
  Q_PROPERTY(double deviceMemory READ device_memory NOTIFY changed)
  Q_PROPERTY(QVariantList devices READ devices NOTIFY devices_changed)
  Q_PROPERTY(QStringList deviceNotes READ device_notes NOTIFY devices_changed)
  Q_PROPERTY(bool findingDevices READ finding_devices NOTIFY devices_changed)
  Q_PROPERTY(QString deviceChoice READ device_choice NOTIFY devices_changed)
  Q_PROPERTY(QString localChoice READ local_choice NOTIFY devices_changed)
  Q_PROPERTY(bool deviceMissing READ device_missing NOTIFY changed)
  Q_PROPERTY(bool remote READ remote NOTIFY changed)
  Q_PROPERTY(QString server READ server_name NOTIFY changed)
  Q_PROPERTY(bool lost READ lost NOTIFY changed)
  Q_PROPERTY(QObject* serverForm READ server_form CONSTANT)
  Q_PROPERTY(QVariantList facts READ facts NOTIFY changed)
  Q_PROPERTY(bool modelMissing READ model_missing NOTIFY changed)
  Q_PROPERTY(QString errorWhat READ error_what NOTIFY changed)
  Q_PROPERTY(QString errorCause READ error_cause NOTIFY changed)
  Q_PROPERTY(QString errorRemedy READ error_remedy NOTIFY changed)

 public:
  using State = EngineProcess::State;
  using QObject::QObject;

  virtual State state() const = 0;
  virtual double progress() const = 0;
  virtual QString phase() const = 0;
  virtual Error error() const = 0;
  virtual QJsonObject props() const = 0;
  virtual Asking* ask(const std::vector<AskTurn>& turns, const AskOptions& options, QObject* parent) = 0;
  // The last turn holds the pictures of the question to come.
  virtual Preparing* prepare(const std::vector<AskTurn>& turns, QObject* parent) = 0;
  // Tokens of one picture of this size, or nothing if the engine cannot tell now. Called on the thread of `context`.
  virtual void count_tokens(int width, int height, QObject* context, std::function<void(std::optional<int>)> then) = 0;
  Q_INVOKABLE virtual void restart() = 0;
  // Gives the memory of an engine here back: its process ends until load(), which is called at the next question. Ends answers under way.
  Q_INVOKABLE virtual void unload() {}
  Q_INVOKABLE virtual void load() {}
  virtual bool unloaded() const { return false; }
  virtual QString log_file() const { return {}; }  // of an engine here; empty: none is kept
  Q_INVOKABLE virtual void use_model(const QString& path) = 0;
  // What could compute, after find_devices().
  virtual FoundDevices found_devices() const { return {}; }
  virtual QString local_choice() const { return "cpu"; }  // of this computer, also while a server elsewhere is chosen
  Q_INVOKABLE virtual void find_devices() {}
  // Forgets which cards have passed their check. With "auto" the engine starts again, and checks.
  Q_INVOKABLE virtual void check_devices_again() {}
  // Starts the engine again on it, and keeps the choice. Ends answers under way, as stop does.
  Q_INVOKABLE virtual void use_device(const QString& choice) { Q_UNUSED(choice) }
  // A server elsewhere that is asked instead; without an address: none. known_server: the last one, as long as it is kept.
  virtual ServerPlace server() const { return {}; }
  virtual ServerPlace known_server() const { return server(); }
  virtual bool lost() const { return false; }  // it was there before
  virtual void use_server(const ServerPlace& place) { Q_UNUSED(place) }
  // One of those that the server offers; empty: the best by what it tells. Kept with the server.
  Q_INVOKABLE virtual void use_served_model(const QString& model) { Q_UNUSED(model) }

  QString state_name() const;
  QString model_name() const;
  bool vision() const;         // the model is known to see
  bool blind() const;          // the model is known not to see
  bool ours() const;           // takes calls that are no one else's: preparations, views
  bool remote() const { return !server().address.isEmpty(); }
  QString server_name() const { return server().name(); }
  QObject* server_form();
  bool can_unload() const { return !remote() && (state() == State::starting || state() == State::loading || state() == State::ready); }
  int served_count() const;  // models that the server offers, where there are several
  QString served_model() const { return props().value("served_model").toString(); }
  QString served_choice() const { return server().model; }
  // Maps of choice, name, detail: at most 50 whose name holds `part`, with Automatic before them when all are asked for.
  Q_INVOKABLE QVariantList served_models(const QString& part) const;
  QString device_choice() const { return remote() ? server_choice : local_choice(); }
  bool takes_regions() const;  // looks at regions of pictures
  QString backend() const;     // that computes now: "Processor", "CUDA", "Vulkan"; empty when nothing does
  QString device() const;      // its name
  QString notice() const;      // what the user should know though the engine works
  QVariantList memory() const;  // maps of name, bytes, text
  double memory_used() const;   // their sum
  double device_memory() const;  // of the device that computes; 0: unknown, or the processor
  QVariantList devices() const;
  QStringList device_notes() const { return found_devices().notes; }
  bool finding_devices() const { return found_devices().state == FoundDevices::State::looking; }
  QVariantList facts() const;  // maps of name and value: what else the engine says of itself
  bool model_missing() const;  // failed because there is no model, not because something broke
  bool device_missing() const;  // failed because what was chosen is not there
  QString error_what() const { return QString::fromStdString(error().what); }
  QString error_cause() const { return QString::fromStdString(error().cause); }
  QString error_remedy() const { return QString::fromStdString(error().remedy); }

 signals:
  void changed();
  void devices_changed();

 private:
  QObject* form_ = nullptr;
};

}  // namespace lava::app
