# Stands in for postgres:17-bookworm where Docker Hub cannot be reached. Like the real one: Debian
# bookworm, user postgres (uid and gid 999), PGDATA=/var/lib/postgresql/data declared as a volume, the
# socket folder /var/run/postgresql, listening on every address, docker-entrypoint.sh, STOPSIGNAL SIGINT,
# no USER.
FROM stage-standin:base
COPY postgres-root/ /usr/lib/postgresql/17/
COPY postgres-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
RUN groupadd --system --gid 999 postgres \
  && useradd --system --gid postgres --uid 999 --home-dir /var/lib/postgresql --shell /bin/bash postgres \
  && install -d -o postgres -g postgres -m 1777 /var/lib/postgresql /var/lib/postgresql/data \
  && install -d -o postgres -g postgres -m 3777 /var/run/postgresql \
  && mkdir /docker-entrypoint-initdb.d \
  && for tool in psql pg_isready pg_dump pg_restore; do ln -s "/usr/lib/postgresql/15/bin/$tool" "/usr/lib/postgresql/17/bin/$tool"; done \
  && sed -i "s/^#*listen_addresses = .*/listen_addresses = '*'/" /usr/lib/postgresql/17/share/postgresql/postgresql.conf.sample
ENV PG_MAJOR=17 PGDATA=/var/lib/postgresql/data LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/17/bin
VOLUME /var/lib/postgresql/data
ENTRYPOINT ["docker-entrypoint.sh"]
STOPSIGNAL SIGINT
EXPOSE 5432
CMD ["postgres"]
