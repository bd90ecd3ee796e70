extension Text {
  /// UTF-8, as RFC 6856 §3 says of every text after LANG.
  var german: StaticString {
    switch self {
    case .password: "Nun bitte das Passwort."
    case .welcome: "Willkommen. Ihr Postfach enthält # Nachrichten (% Oktette)."
    case .goodbye: "Auf Wiedersehen."
    case .deleted: "# Nachrichten gelöscht. Auf Wiedersehen."
    case .capabilities: "Es folgen die Fähigkeiten."
    case .mechanisms: "Es folgen die Verfahren."
    case .languages: "Es folgen die Sprachen."
    case .chosen: "Ab jetzt auf Deutsch."
    case .utf8: "Ab jetzt in UTF-8."
    case .beginTLS: "Bitte jetzt mit TLS beginnen."
    case .listing, .uniqueIDs: "# Nachrichten (% Oktette)"
    case .message: "# Oktette"
    case .top: "Es folgt der Anfang von Nachricht #."
    case .marked: "Nachricht # wird beim Abmelden gelöscht."
    case .unmarked: "Keine Nachricht ist vorgemerkt: # Nachrichten (% Oktette)"
    case .here: "Hier."

    case .unknown: "Diesen Befehl kennt der Server nicht. Nichts wurde geändert."
    case .notText: "Der Befehl enthält Steuerzeichen. Er wurde nicht ausgeführt, nichts wurde geändert."
    case .tooLong: "Die Befehlszeile ist zu lang. Sie wurde nicht ausgeführt, nichts wurde geändert."
    case .tooMany: "Zu viele Befehle waren falsch, darum beendet der Server die Verbindung. Nichts wurde gelöscht."
    case .notYet: "Das geht erst nach dem Anmelden. Bitte zuerst Benutzername und Passwort."
    case .noLonger: "Das geht nur vor dem Anmelden, und Sie sind schon angemeldet. Nichts wurde geändert."
    case .argument: "Hinter dem Befehl fehlt eine Angabe. Nichts wurde geändert."
    case .noArgument: "Hinter dem Befehl steht zu viel. Er wurde nicht ausgeführt, nichts wurde geändert."
    case .userName: "Das kann kein Benutzername sein: Er enthält Leerzeichen oder ist nicht UTF-8. Bitte prüfen."
    case .numberNeeded: "Der Befehl braucht die Nummer einer Nachricht, etwa 1. Nichts wurde geändert."
    case .topNeeds: "TOP braucht die Nummer einer Nachricht und eine Zahl von Zeilen, etwa 1 10. Nichts wurde geändert."
    case .language: "Diese Sprache spricht der Server nicht. Es bleibt, wie es war; LANG allein zählt die Sprachen auf."
    case .noAPOP: "APOP gibt es hier nicht. Bitte im Mailprogramm \"Passwort, normal\" einstellen."
    case .noTLS: "Hier kann keine Verschlüsselung begonnen werden. Nichts wurde geändert."
    case .pipelinedTLS: "Mit STLS kamen Befehle mit, die auch von Fremden stammen können. Die Verbindung endet."
    case .http: "Dies ist ein Mailserver (POP3), kein Webserver. Bitte mit einem Mailprogramm öffnen."
    case .tls: "Dieser Anschluss beginnt unverschlüsselt. Bitte Port oder Verschlüsselung im Mailprogramm ändern."
    case .smtp: "Dieser Anschluss ist zum Lesen da (POP3). Bitte den Postausgang (SMTP) getrennt einstellen."

    case .userFirst: "Bitte zuerst den Benutzernamen, dann das Passwort."
    case .insecure:
      """
      [AUTH] Diese Verbindung ist unverschlüsselt, darum nimmt der Server hier kein Passwort an. Ihre Post ist \
      sicher. Bitte im Mailprogramm SSL/TLS oder STARTTLS einstellen.
      """
    case .noMechanism: "Diese Art der Anmeldung gibt es hier nicht. Bitte \"Passwort, normal\" einstellen."
    case .cancelled: "Die Anmeldung wurde vom Mailprogramm abgebrochen. Nichts wurde geändert."
    case .malformed: "Die Antwort des Mailprogramms ist nicht lesbar; die Anmeldung wurde abgebrochen."
    case .refused:
      """
      [AUTH] Benutzername oder Passwort ist falsch. Ihre Post ist sicher. Bitte beides im Mailprogramm prüfen, \
      auch Groß- und Kleinschreibung.
      """
    case .refusedAndOver:
      """
      [AUTH] Benutzername oder Passwort ist falsch, zum wiederholten Mal; der Server beendet die Verbindung. \
      Ihre Post ist sicher. Bitte beides im Mailprogramm prüfen.
      """
    case .loginFault:
      """
      [SYS/TEMP] Der Server kann Ihr Postfach gerade nicht öffnen. Ihre Post ist aufgehoben. Bitte in einigen \
      Minuten noch einmal versuchen.
      """
    case .broken:
      """
      [SYS/PERM] Der Server kann Ihr Postfach nicht öffnen; noch einmal versuchen hilft nicht. Neue Post wird weiter \
      angenommen. Bitte sagen Sie es dem, der den Server betreut.
      """
    case .loginDelay:
      """
      [LOGIN-DELAY] Ihre Post wurde vor weniger als # Sekunden abgefragt. Sie ist sicher. Bitte etwas warten oder \
      das Mailprogramm seltener abfragen lassen.
      """

    case .banned:
      """
      [AUTH] Von Ihrer Adresse kamen zu viele falsche Passwörter. Ihre Post ist sicher. Bitte das Passwort in jedem \
      Mailprogramm dort prüfen und es in # Minuten noch einmal versuchen.
      """

    case .empty: "Nachricht # gibt es nicht: Das Postfach ist leer."
    case .noSuchMessage: "Nachricht # gibt es nicht, die letzte ist %. Bitte noch einmal abrufen."
    case .isMarked: "Nachricht # ist zum Löschen vorgemerkt. RSET, oder Trennen ohne QUIT, behält sie."
    case .needsUTF8:
      """
      [UTF8] Nachricht # hat Adressen in Zeichen, die Ihr Mailprogramm nicht angefordert hat. Sie bleibt hier. \
      Bitte mit einem Mailprogramm abrufen, das internationale Adressen (UTF8) kennt.
      """
    case .readFault:
      """
      [SYS/TEMP] Nachricht # kann gerade nicht gelesen werden. Sie ist aufgehoben. Bitte in einigen Minuten noch \
      einmal versuchen.
      """
    case .gone:
      """
      [SYS/PERM] Nachricht # ist auf dem Speicher des Servers nicht mehr lesbar. Ihre übrigen Nachrichten sind \
      nicht betroffen. Bitte sagen Sie es dem, der den Server betreut.
      """
    case .listFault:
      """
      [SYS/TEMP] Die Liste Ihrer Nachrichten kann gerade nicht gelesen werden. Sie sind aufgehoben. Bitte in \
      einigen Minuten noch einmal versuchen.
      """
    case .updateFault:
      """
      [SYS/TEMP] Nicht alle Nachrichten konnten gelöscht werden. Keine ist verloren; manche kommen beim nächsten \
      Abruf vielleicht noch einmal.
      """
    case .shuttingDown:
      """
      [SYS/TEMP] Der Server wird neu gestartet. Ihre Post ist sicher, nichts wurde gelöscht. Bitte in einer Minute \
      noch einmal versuchen.
      """
    }
  }
}
